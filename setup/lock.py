"""Writes requirements.lock from pyproject.toml: every version exact, every file by its hash.

The resolver is installed into a throwaway environment. Versions already locked stay, unless
UPGRADE=1 is set. The lock names no index, so that any mirror serves it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
OPTIONS = (
    "--quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url"
    " --no-header --no-annotate --extra dev --no-config"
)


def main() -> int:
    """Resolve into a new file, and put it in place if nothing is wrong with it."""
    (ROOT / ".cache").mkdir(exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="lock-", dir=ROOT / ".cache"))
    try:
        subprocess.run([sys.executable, "-m", "venv", str(work / "venv")], check=True)
        install = [str(work / "venv/bin/python"), "-m", "pip", "install", "-qq", "uv"]
        subprocess.run(install, check=True)
        fresh = work / LOCK.name
        if LOCK.exists():
            shutil.copyfile(LOCK, fresh)
        command = [str(work / "venv/bin/uv"), "pip", "compile", *OPTIONS.split()]
        if os.environ.get("UPGRADE"):
            command.append("--upgrade")
        command += ["pyproject.toml", "--output-file", str(fresh)]
        subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        text = fresh.read_text()
        if "://" in text or "--index" in text or "--find-links" in text:
            print("lock: the new lock names an index or an address; not written", file=sys.stderr)
            return 1
        LOCK.write_text(text)
    except subprocess.CalledProcessError as error:
        print(f"lock: {error.cmd[0]} failed with exit code {error.returncode}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print("lock: requirements.lock written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
