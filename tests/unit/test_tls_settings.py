"""The configuration of TLS: what is read, what is refused, and what the core says of the files."""

import re
from pathlib import Path

import pytest

from oms.app import tls_files
from oms.app.exits import Exit, Stop
from oms.app.fix_parties import client_files_of, gate_config_of
from oms.app.tls_files import check_tls
from oms.settings.load import load
from tests.support.tls import Authority, Pair
from tests.support.warned import Warnings
from tests.unit.test_settings import CLIENT, DATABASE, VENUE, faults, write

FINGERPRINT = "AB:CD:" + "0" * 60


def acceptor(pair: Pair, more: str = "") -> str:
    return (
        f'[acceptor]\nplain = false\n[acceptor.tls]\ncertificate_file = "{pair.certificate}"\n'
        f'key_file = "{pair.key}"\n{more}'
    )


def venue(authority: Authority, more: str = "") -> str:
    return f'{VENUE}[venues.tls]\nca_file = "{authority.file}"\n{more}'


def test_what_is_read(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("oms.example")
    more = f'host = "127.0.0.2"\nport = 9443\nclient_ca_file = "{authority.file}"\n'
    client = f'{CLIENT}tls_subject = "A"\ntls_fingerprints = ["{FINGERPRINT}"]\n'
    text = acceptor(pair, more) + client
    settings = load(write(tmp_path, DATABASE + text + venue(authority)))
    config = gate_config_of(settings, ticket="t" * 16)
    assert not config.plain
    assert config.tls is not None
    assert (config.tls.host, config.tls.port) == ("127.0.0.2", 9443)
    assert config.tls.files.client_ca_file == str(authority.file)
    assert config.tls.files.minimum_version == "1.2"
    assert config.clients[0].tls_subject == "A"
    assert config.clients[0].tls_fingerprints == ("abcd" + "0" * 60,)
    assert client_files_of(settings.venues[0]).ca_file == str(authority.file)
    check_tls(settings)


def test_a_host_of_its_own_or_the_acceptor_s(tmp_path: Path) -> None:
    pair = Authority(tmp_path).issue("oms.example")
    settings = load(write(tmp_path, DATABASE + acceptor(pair)))
    config = gate_config_of(settings, ticket="t" * 16)
    assert config.tls is not None
    assert (config.tls.host, config.tls.port) == ("127.0.0.1", 9877)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[acceptor]\nplain = false\n", "acceptor: plain = false: needs a table tls"),
        (
            '[acceptor.tls]\ncertificate_file = "c"\nkey_file = "k"\nport = 9876\n',
            "acceptor.tls.port = 9876: must not be the port of acceptor.port",
        ),
        (
            '[acceptor.tls]\ncertificate_file = "c"\nkey_file = "k"\nminimum_version = "1.1"\n',
            "acceptor.tls.minimum_version = 1.1: must be '1.2' or '1.3'",
        ),
        ('[acceptor.tls]\ncertificate_file = "c"\n', "acceptor.tls.key_file: is missing"),
        (
            '[acceptor.tls]\ncertificate_file = "c"\nkey_file = "k"\nhost = "0.0.0.0"\n' + CLIENT,
            "clients[0].password_hash: is the published example's: make one of your own before",
        ),
        (CLIENT + "tls_only = true\n", "clients[0].tls_only = true: needs a table acceptor.tls"),
        (
            CLIENT + 'tls_subject = "A"\n',
            "clients[0].tls_subject = A: needs acceptor.tls.client_ca_file",
        ),
        (
            CLIENT + 'tls_fingerprints = ["AB:CD"]\n',
            "clients[0].tls_fingerprints[0] = AB:CD: must be the SHA-256 of a certificate",
        ),
        (VENUE + "[venues.tls]\n", "venues[0].tls.ca_file: is missing"),
        (
            VENUE + '[venues.tls]\nca_file = "c"\nkey_file = "k"\n',
            "venues[0].tls: must hold certificate_file and key_file, or neither",
        ),
        (
            VENUE + '[venues.tls]\nca_file = "c"\nserver_name = "a b"\n',
            "venues[0].tls.server_name = a b: must match",
        ),
    ],
)
def test_one_fault(tmp_path: Path, text: str, fault: str) -> None:
    [line] = faults(tmp_path, DATABASE + text)
    assert line.startswith(fault), line


def said(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(Stop) as caught:
        check_tls(load(write(tmp_path, DATABASE + text)))
    assert caught.value.code is Exit.CONFIG
    return str(caught.value).splitlines()


def test_every_file_that_cannot_be_used_is_a_line(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair, other = authority.issue("a.example"), authority.issue("b.example")
    none = tmp_path / "none.pem"
    mixed = acceptor(pair).replace(str(pair.key), str(other.key))
    missing = venue(authority).replace(str(authority.file), str(none))
    owner = "must be the key of certificate_file = "
    assert said(tmp_path, mixed + missing) == [
        f"acceptor.tls.key_file = {other.key}: {owner}{pair.certificate}",
        f"venues[0].tls.ca_file = {none}: cannot be read: No such file or directory",
    ]


@pytest.mark.parametrize(
    ("which", "content", "rule"),
    [
        ("certificate", "hello", "certificate_file = .*: must hold a certificate in PEM"),
        ("key", "hello", "key_file = .*: must hold a private key in PEM"),
        ("ca", "hello", "client_ca_file = .*: must hold certificates in PEM"),
    ],
)
def test_a_file_of_something_else(tmp_path: Path, which: str, content: str, rule: str) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("a.example")
    {"certificate": pair.certificate, "key": pair.key, "ca": authority.file}[which].write_text(
        content
    )
    [line] = said(tmp_path, acceptor(pair, f'client_ca_file = "{authority.file}"\n'))
    assert re.fullmatch(rf"acceptor\.tls\.{rule}", line), line


def test_a_key_with_a_passphrase_is_refused(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization as form

    pair = Authority(tmp_path).issue("a.example")
    key = form.load_pem_private_key(pair.key.read_bytes(), None)
    secret = form.BestAvailableEncryption(b"secret")
    pair.key.write_bytes(key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, secret))
    [line] = said(tmp_path, acceptor(pair))
    assert line.endswith("is encrypted: must hold a key without a passphrase")


def test_a_key_that_everybody_may_read_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Warnings()
    monkeypatch.setattr(tls_files, "log", told)
    authority = Authority(tmp_path)
    pair = authority.issue("a.example")
    settings = load(write(tmp_path, DATABASE + acceptor(pair) + venue(authority)))
    check_tls(settings)
    assert not told.events
    pair.key.chmod(0o644)
    check_tls(settings)
    assert told.events == ["tls.key_is_open"]
