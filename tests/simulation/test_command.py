"""`oms simulate --seed` tells one run's story, and the same each time."""

import subprocess
import sys

from tests.support.processes import ROOT


def told(hash_seed: str, *arguments: str) -> list[str]:
    command = ["env", f"PYTHONHASHSEED={hash_seed}", sys.executable, "-m", "oms", "simulate"]
    done = subprocess.run(
        [*command, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_a_run_is_told_in_sentences_and_is_the_same_each_time() -> None:
    arguments = ("--seed", "3", "--acts", "0,1,2,3", "--without", "XA.reject,commits.after")
    first, second = told("1", *arguments), told("2", *arguments)
    assert first == second
    assert first[0].endswith("a core starts on machine m1")
    assert first[-1].startswith(f"oms simulate {' '.join(arguments)}: ")
