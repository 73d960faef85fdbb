"""What comes in by HTTP from those who do not keep to it: bounded, answered, and nobody's harm."""

import json
import re
import socket

import pytest

from oms.api import gatekeeper
from oms.api.wire import MAX_HEAD_BYTES, BoundedHttp
from tests.support.api import Api
from tests.support.processes import eventually

KEY = b"Host: x\r\nX-API-Key: example-key-alpha\r\n"
POST = b"POST /v1/orders HTTP/1.1\r\n" + KEY + b"Content-Type: application/json\r\n"
PATIENCE_S = 20.0


def connection(api: Api) -> socket.socket:
    host, _, port = api.base_url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE_S)


def rest_of(link: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    found = b""
    while data := link.recv(65_536):
        found += data
    return found


def document(answer: bytes, status: int, kind: str) -> str:
    """The detail of the problem document that is the whole answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer
    assert b"content-type: application/problem+json" in head.lower()
    assert b"connection: close" in head.lower()
    told = json.loads(body)
    assert (told["type"], told["status"]) == (f"urn:plumbline:problem:{kind}", status)
    return str(told["detail"])


def answered(api: Api, status: int) -> float:
    """How many requests this API has answered so."""
    lines = re.findall(
        rf'^plumbline_api_requests_total\{{.*status="{status}"\}} (\S+)$',
        api.anonymous.get("/metrics").text,
        re.MULTILINE,
    )
    return sum(map(float, lines))


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x00\xc8 a TLS hello",
        b"BREW /v1/orders HTTP/1.1\r\n\r\n",
        b"GET /health HTTP/9.9\r\n\r\n",
        POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
    ],
)
def test_what_is_no_http(api: Api, sent: bytes) -> None:
    with connection(api) as link:
        link.sendall(sent)
        detail = document(rest_of(link), 400, "bad-request")
    assert detail == "this is no HTTP/1.1 request"


def test_a_head_without_end(api: Api) -> None:
    with connection(api) as link:
        link.sendall(b"GET /v1/orders HTTP/1.1\r\nX-Long: ")
        answer = b""
        for _ in range(3 * MAX_HEAD_BYTES // 1_024):
            try:
                link.sendall(b"x" * 1_024)
                link.settimeout(0.001)
                answer += link.recv(65_536)
                break
            except TimeoutError:
                link.settimeout(PATIENCE_S)
        detail = document(answer, 431, "request-header-fields-too-large")
    assert detail == "the request's head must not be longer than 65536 bytes"


def test_a_head_that_does_not_come(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedHttp, "head_s", 0.2)
    with connection(api) as silent, connection(api) as slow, connection(api) as second:
        slow.sendall(b"GET /health HTTP/1.1\r\nHo")
        second.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /hea")
        assert rest_of(silent) == b""
        detail = document(rest_of(slow), 408, "request-timeout")
        assert detail == "the request's head must come within 0.2 seconds"
        first, _, refused = rest_of(second).partition(b'{"status":"ok"}')
        assert first.startswith(b"HTTP/1.1 200 ")
        document(refused, 408, "request-timeout")


def test_a_body_that_does_not_come(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gatekeeper, "BODY_S", 0.2)
    with connection(api) as link:
        link.sendall(POST + b"Content-Length: 100\r\n\r\n{")
        detail = document(rest_of(link), 408, "request-timeout")
    assert detail == "the body must come within 0.2 seconds"


def test_a_client_that_goes_in_the_middle_of_a_body_is_no_defect(api: Api) -> None:
    before, defects = answered(api, 400), answered(api, 500)
    for _ in range(3):
        with connection(api) as link:
            link.sendall(POST + b"Content-Length: 100\r\n\r\n{")
    eventually(lambda: answered(api, 400) == before + 3, "all three have ended")
    assert answered(api, 500) == defects


def test_requests_sent_all_at_once_are_answered_in_order(api: Api) -> None:
    count = 2 * MAX_HEAD_BYTES // 60
    ask = "GET /v1/instruments/N{} HTTP/1.1\r\n{}\r\n"
    asked = [ask.format(n, KEY.decode()).encode() for n in range(count)]
    asked.append(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    sent = b"".join(asked)
    assert len(sent) > 2 * MAX_HEAD_BYTES
    with connection(api) as link:
        link.sendall(sent)
        answer = rest_of(link)
    told = [int(n) for n in re.findall(rb'"detail":"instrument N(\d+): not found"', answer)]
    assert told == list(range(count))
    assert answer.endswith(b'{"status":"ok"}')
