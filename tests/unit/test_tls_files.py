"""Certificates' ends read from their files, and faults in plain words."""

import contextlib
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from fix_sessions.tls_faults import TlsFault, fault_of
from fix_sessions.tls_files import TlsFileError, _not_after, expires_at
from oms.app import tls_files
from oms.app.tls_files import certificate_gauge, watch_certificates
from oms.settings.load import load
from tests.support.tls import Authority
from tests.support.warned import Warnings
from tests.unit.test_settings import DATABASE, write
from tests.unit.test_tls_settings import acceptor

METRIC = "plumbline_tls_certificate_expires_timestamp_seconds"


@pytest.mark.parametrize("expired", [False, True])
def test_the_end_of_a_certificate(tmp_path: Path, *, expired: bool) -> None:
    from cryptography.x509 import load_pem_x509_certificate

    pair = Authority(tmp_path).issue("a.example", expired=expired)
    known = load_pem_x509_certificate(pair.certificate.read_bytes()).not_valid_after_utc
    assert expires_at(str(pair.certificate)) == known
    assert (known < datetime.now(UTC)) is expired


def test_what_is_no_certificate(tmp_path: Path) -> None:
    path = tmp_path / "strange.pem"
    for content in ("MIIB", "AAAA", "MAA=", "MAMBAQA="):
        path.write_text(ssl.PEM_HEADER + f"\n{content}\n" + ssl.PEM_FOOTER + "\n")
        with pytest.raises(TlsFileError, match=r"^certificate_file = .*: must hold "):
            expires_at(str(path))


@given(st.binary(max_size=80))
def test_no_bytes_are_more_than_a_fault(data: bytes) -> None:
    with contextlib.suppress(LookupError, StopIteration, ValueError):
        _not_after(data)


def test_a_certificate_that_ends_soon_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Warnings()
    monkeypatch.setattr(tls_files, "log", told)
    authority = Authority(tmp_path)
    pair, old = authority.issue("a.example"), authority.issue("a.example", expired=True)
    settings = load(write(tmp_path, DATABASE + acceptor(pair)))
    registry = CollectorRegistry()
    watch_certificates(settings, certificate_gauge(registry))
    label = {"key": "acceptor.tls.certificate_file"}
    assert not told.events
    assert (registry.get_sample_value(METRIC, label) or 0) > datetime.now(UTC).timestamp()
    pair.certificate.write_bytes(old.certificate.read_bytes())
    end = (datetime.now(UTC) - timedelta(hours=23)).timestamp()
    assert (registry.get_sample_value(METRIC, label) or end) < end
    watch_certificates(settings, certificate_gauge(CollectorRegistry()))
    assert told.events == ["tls.certificate_ends"]
    pair.certificate.unlink()
    assert registry.get_sample_value(METRIC, label) == 0


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (TimeoutError(), TlsFault.TIMEOUT),
        (ConnectionResetError(), TlsFault.CLOSED),
        (ssl.SSLError(1, "no reason given"), TlsFault.CLOSED),
    ],
)
def test_a_fault_is_always_named(error: Exception, fault: TlsFault) -> None:
    assert fault_of(error)[0] is fault
