"""A process of its own around an engine: journals each order to a file, then reports it.

It stands for the core in miniature: the file is the journal, appended before anything leaves, and
the start sets the expected number from it and reports again, as PossResend, what may not have left.
"""

import sys
from pathlib import Path

from fix_sessions.engine import Engine
from fix_sessions.settings import SessionSpec
from fix_sessions.wire import fields_of, first
from tests.support.fix_engine import Recorder


def last_number(lines: list[str]) -> int:
    numbers = [int(line.split()[1]) for line in lines if line.startswith("in ")]
    return max(numbers, default=0)


def main(store_dir: Path, journal_path: Path, port: int) -> None:
    journal_path.touch()
    lines = journal_path.read_text().splitlines()
    recorder = Recorder()
    spec = SessionSpec(
        session_id="ALPHA",
        role="acceptor",
        sender_comp_id="PLUMB",
        target_comp_id="ALPHA",
        port=port,
    )
    engine = Engine([spec], store_dir=store_dir, handler=recorder)
    with journal_path.open("a", buffering=1) as journal:

        def report(cl_ord_id: str, *, again: bool) -> None:
            fields = [(37, cl_ord_id), (11, cl_ord_id)]
            engine.send("ALPHA", "8", [(97, "Y"), *fields] if again else fields)
            journal.write(f"out {cl_ord_id}\n")

        def take(_session_id: str, text: str) -> None:
            fields = fields_of(text)
            cl_ord_id = first(fields, 11) or ""
            journal.write(f"in {first(fields, 34)} {cl_ord_id}\n")
            report(cl_ord_id, again=False)

        recorder.act = take
        if lines:
            engine.set_expected_inbound("ALPHA", last_number(lines) + 1)
        reported = {line.split()[1] for line in lines if line.startswith("out ")}
        for line in lines:
            if line.startswith("in ") and line.split()[2] not in reported:
                report(line.split()[2], again=True)
        engine.start()
        print("ready", flush=True)
        while True:
            engine.poll(1.0)
            recorder.received.clear()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
