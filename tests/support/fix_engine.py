"""An engine and light peers in one test, served in turn by one thread."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fix_sessions.engine import Engine
from fix_sessions.light_session import LightSettings
from fix_sessions.light_socket import Hub, LightPeer
from fix_sessions.settings import SessionSpec
from fix_sessions.wire import fields_of, first

Fields = list[tuple[int, str]]


@dataclass
class Recorder:
    """A session handler that keeps all it is told, and can be given things to do."""

    received: list[tuple[str, str]] = field(default_factory=list)
    sent: list[tuple[str, int, str]] = field(default_factory=list)
    # By session and MsgSeqNum, since our numbers last began.
    kept: dict[str, dict[int, str]] = field(default_factory=dict)
    calls: list[tuple[str, ...]] = field(default_factory=list)
    refusal: str | None = None
    act: Callable[[str, str], None] | None = None

    def on_message(self, session_id: str, text: str) -> None:
        self.received.append((session_id, text))
        if self.act is not None:
            self.act(session_id, text)

    def on_logon(self, session_id: str) -> None:
        self.calls.append(("logon", session_id))

    def on_logout(self, session_id: str, reason: str) -> None:
        self.calls.append(("logout", session_id, reason))

    def on_sequence_reset(self, session_id: str, next_inbound: int) -> None:
        self.calls.append(("reset", session_id))
        if next_inbound == 1:
            self.kept.pop(session_id, None)

    def on_sent(self, session_id: str, msg_seq_num: int, text: str) -> None:
        self.sent.append((session_id, msg_seq_num, text))
        self.kept.setdefault(session_id, {})[msg_seq_num] = text

    def check_logon(self, session_id: str, fields: Fields) -> str | None:
        self.calls.append(("check", session_id, first(fields, 553) or ""))
        return self.refusal

    def sent_again(self, session_id: str, begin: int, end: int) -> list[tuple[int, str]]:
        """A source for ResendRequests."""
        kept = self.kept.get(session_id, {})
        return [(number, kept[number]) for number in sorted(kept) if begin <= number <= end]

    def values(self, tag: int) -> list[str]:
        """The first value of a tag in each message received, in order."""
        return [first(fields_of(text), tag) or "" for _, text in self.received]


class EngineHub(Hub):
    """A hub whose every turn also serves the engine under test."""

    def __init__(self, store_dir: Path, *, texts_in_store: bool = True) -> None:
        """texts_in_store: whether QuickFIX keeps what is sent, or the recorder."""
        super().__init__()
        self.store_dir = store_dir
        self.texts_in_store = texts_in_store
        self.recorder = Recorder()
        self.engine: Engine | None = None

    def run(self, *specs: SessionSpec, slow_consumer_s: float = 10.0, start: bool = True) -> Engine:
        """Make an engine with these sessions, in the place of the one before."""
        self.stop_engine()
        self.engine = Engine(
            specs,
            store_dir=self.store_dir,
            handler=self.recorder,
            slow_consumer_s=slow_consumer_s,
            resend_source=None if self.texts_in_store else self.recorder.sent_again,
        )
        if start:
            self.engine.start()
        return self.engine

    def stop_engine(self) -> None:
        """Drop the engine with its connections, as a crash would."""
        if self.engine is not None:
            self.engine.close()
            self.engine = None

    def client_of(self, engine: Engine, name: str = "ALPHA", heartbeat_s: int = 30) -> LightPeer:
        """A client of one of the engine's acceptor sessions, not yet connected."""
        return self.client(
            "127.0.0.1",
            engine.acceptor_port,
            LightSettings(sender_comp_id=name, target_comp_id="PLUMB", heartbeat_s=heartbeat_s),
        )

    def venue_named(self, name: str = "XSIM") -> LightPeer:
        """A venue that listens."""
        settings = LightSettings(sender_comp_id=name, target_comp_id="PLUMB", initiates=False)
        return self.venue(settings)

    def pump(self, timeout_s: float) -> None:
        if self.engine is not None:
            self.engine.poll(min(timeout_s, 0.005))
            timeout_s = 0.0
        super().pump(timeout_s)

    def until(self, condition: Callable[[], bool], what: str = "condition") -> None:
        """Serve everybody until it holds; a test's default bound."""
        self.wait_until(condition, 15.0, what)

    def serve_for(self, seconds: float) -> None:
        """Serve everybody for a while: for what must not happen."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.pump(0.01)

    def close(self) -> None:
        self.stop_engine()
        super().close()


def accepting(name: str = "ALPHA", **changes: object) -> SessionSpec:
    """An acceptor session for the client of this name, on any free port."""
    settings: dict[str, object] = {"session_id": name, "target_comp_id": name, "port": 0} | changes
    return SessionSpec(role="acceptor", sender_comp_id="PLUMB", **settings)  # type: ignore[arg-type]


def logged_on_client(hub: EngineHub) -> tuple[Engine, LightPeer]:
    """An engine and its client ALPHA, on the session with each other."""
    engine = hub.run(accepting())
    client = hub.client_of(engine)
    client.logon()
    hub.until(lambda: engine.is_logged_on("ALPHA"))
    return engine, client


def connecting(port: int, name: str = "XSIM", **changes: object) -> SessionSpec:
    """An initiator session to the venue of this name."""
    settings: dict[str, object] = {
        "session_id": name,
        "target_comp_id": name,
        "port": port,
    } | changes
    return SessionSpec(role="initiator", sender_comp_id="PLUMB", **settings)  # type: ignore[arg-type]
