"""What QuickFIX fails on: input costs a connection, what fails on and on stops the engine."""

from pathlib import Path

import pytest

from fix_sessions.faults import EngineFault
from fix_sessions.pumping import pump
from tests.support.fix_engine import EngineHub, accepting


def failing() -> None:
    raise RuntimeError("Tried to send a reject while not logged on")


def test_input_of_a_connection_that_nobody_has_seen_yet_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A venue's, that answers our connection with nonsense at once; it may be closed by then."""
    with EngineHub(tmp_path / "store") as hub:
        engine = hub.run(accepting())
        transport = engine._transports[0]
        assert transport.connections == []
        with monkeypatch.context() as patched:
            patched.setattr(transport, "pump", failing)
            pump(transport, [], engine._callbacks)
        client = hub.client_of(engine)
        client.logon()
        client.send("D", [(11, "LAST")])
        hub.until(lambda: hub.recorder.values(11) == ["LAST"])


def test_what_fails_on_and_on_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with EngineHub(tmp_path / "store") as hub:
        engine = hub.run(accepting())
        with monkeypatch.context() as patched:
            patched.setattr("fix_sessions.pumping._MAX_FAILURES", 3)
            patched.setattr(engine._transports[0], "pump", failing)
            with pytest.raises(EngineFault, match="while not logged on"):
                hub.until(lambda: False)
