"""Makes ./.venv ready: the locked packages, QuickFIX compiled for it, and this project.

Runs with any Python >= 3.11 and nothing else installed. Each step leaves a digest of its inputs in
.venv/.steps.json and is skipped while they stay the same, so a second run takes well under a
second. .venv/.ready exists while all steps are done.
"""

import fcntl
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import threading
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path

import build_quickfix

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
CACHE = ROOT / ".cache"
LOCK = ROOT / "requirements.lock"
READY = VENV / ".ready"
STEPS = VENV / ".steps.json"
TAIL_LINES = 25


class SetUpError(Exception):
    """The set-up cannot go on; the text is one line for the user."""


STARTED = time.monotonic()


def say(text: str) -> None:
    """Print one line of progress."""
    print(f"set-up [{time.monotonic() - STARTED:5.1f} s] {text}", flush=True)


def digest(*parts: str) -> str:
    """A short digest of some texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


# System tools -------------------------------------------------------------------------------------


def find_compiler() -> str | None:
    """The C++ compiler to use: CXX if set, else g++, clang++ or c++."""
    names = [os.environ.get("CXX", ""), "g++", "clang++", "c++"]
    return next((path for name in names if name and (path := shutil.which(name))), None)


def missing_packages() -> dict[str, str]:
    """What the system lacks, each with the Debian package that brings it."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    missing = {}
    if find_compiler() is None:
        missing["a C++ compiler"] = "g++"
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").exists():
        missing["Python's headers"] = f"{version}-dev"
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        missing["Python's venv module"] = f"{version}-venv"
    return missing


def require_system_tools() -> str:
    """Return the compiler; install what is missing through apt where that is possible."""
    missing = missing_packages()
    if missing:
        packages = sorted(set(missing.values()))
        what, names = ", ".join(missing), " ".join(packages)
        if os.geteuid() == 0 and shutil.which("apt-get"):
            say(f"missing: {what}; installing {names} with apt")
            apt_install(packages)
            importlib.invalidate_caches()
            missing = missing_packages()
    if missing:
        what, names = ", ".join(missing), " ".join(sorted(set(missing.values())))
        message = f"missing: {what}; install: {names} (for {sys.executable})"
        raise SetUpError(message)
    compiler = find_compiler()
    assert compiler is not None
    return compiler


def apt_install(packages: Sequence[str]) -> None:
    """Install Debian packages; whether that helped is for the caller to look at."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    for command in (["apt-get", "update", "-qq"], install):
        subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL)


# The lock -----------------------------------------------------------------------------------------


def locked_entries() -> dict[str, str]:
    """The lock's entries by package, each with its hashes."""
    entries: dict[str, list[str]] = {}
    name = ""
    for line in LOCK.read_text().splitlines():
        start = re.match(r"([A-Za-z0-9_.-]+)==", line)
        if start:
            name = start[1].lower()
        if name and line.strip() and not line.lstrip().startswith("#"):
            entries.setdefault(name, []).append(line)
    return {package: "\n".join(lines) + "\n" for package, lines in entries.items()}


def pip_install(title: str, requirements: str) -> None:
    """Install requirements with their hashes checked, saying now and then how far it is."""
    wanted = CACHE / f"{title.replace(' ', '-')}.txt"
    wanted.write_text(requirements)
    command = ["install", "--progress-bar", "off", "--require-hashes", "-r", str(wanted)]
    count = 0
    log: list[str] = []
    with subprocess.Popen(
        [str(VENV_PYTHON), "-m", "pip", "--disable-pip-version-check", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            log.append(line)
            if line.startswith("Collecting "):
                count += 1
                if count % 20 == 0:
                    say(f"{title}: {count} collected")
            elif line.startswith("Installing collected"):
                say(f"{title}: installing {count}")
    if process.returncode != 0:
        print("".join(log[-TAIL_LINES:]), file=sys.stderr)
        message = f"{title}: pip failed with exit code {process.returncode}"
        raise SetUpError(message)


# The steps ----------------------------------------------------------------------------------------


def read_steps() -> dict[str, str]:
    """The digests that earlier runs left; none if the environment is not there."""
    try:
        steps = json.loads(STEPS.read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in steps.items()}


def finish(steps: dict[str, str], name: str, value: str) -> None:
    """Note that a step is done with these inputs."""
    steps[name] = value
    STEPS.write_text(json.dumps(steps, indent=1))


def venv_works() -> bool:
    """Whether the environment is there, was made here, runs, and keeps the Python asked for."""
    probe = "import sys; print(sys.version_info >= (3, 11), sys._base_executable)"
    try:
        if str(VENV) not in (VENV / "bin" / "activate").read_text():
            return False
        done = subprocess.run(
            [str(VENV_PYTHON), "-c", probe], capture_output=True, text=True, check=False
        )
    except OSError:
        return False
    if done.returncode != 0 or not done.stdout.startswith("True"):
        return False
    base = Path(done.stdout.split(maxsplit=1)[1].strip()).resolve()
    return not os.environ.get("PYTHON") or base == Path(sys.executable).resolve()


def make_venv() -> None:
    """Make an empty environment, in place of one that does not work."""
    say(f"making .venv with Python {sys.version.split()[0]} ({sys.executable})")
    shutil.rmtree(VENV, ignore_errors=True)
    done = subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False)
    if done.returncode != 0:
        message = "python -m venv failed"
        raise SetUpError(message)


def install_packages(steps: dict[str, str], compiler: str) -> None:
    """Install the lock's packages, and compile QuickFIX meanwhile if it is not built yet."""
    entries = locked_entries()
    quickfix = entries.pop("quickfix")
    build_key = digest(build_quickfix.cache_key(quickfix, compiler))
    lock_key = digest(*entries.values())
    if steps.get("packages") == lock_key and steps.get("quickfix") == build_key:
        return
    pip_install("build tools", entries["setuptools"])
    failures: list[Exception] = []

    def install_rest() -> None:
        try:
            pip_install("packages", "".join(entries.values()))
        except (SetUpError, OSError) as error:
            failures.append(error)

    rest = threading.Thread(target=install_rest)
    if steps.get("packages") != lock_key:
        rest.start()
    if steps.get("quickfix") != build_key:
        wheel = build_quickfix.build(VENV_PYTHON, compiler, quickfix, say)
    else:
        wheel = None
    if rest.ident is not None:
        rest.join()
    if failures:
        raise failures[0]
    finish(steps, "packages", lock_key)
    if wheel is not None:
        install_quickfix(wheel)
        finish(steps, "quickfix", build_key)


def install_quickfix(wheel: Path) -> None:
    """Install the built wheel, and see that it can be imported."""
    pip = [str(VENV_PYTHON), "-m", "pip", "install", "-qq", "--no-index", "--no-deps"]
    for command in (
        [*pip, "--no-compile", "--force-reinstall", str(wheel)],
        [str(VENV_PYTHON), "-c", "import quickfix; quickfix.Message()"],
    ):
        if subprocess.run(command, check=False, cwd=VENV).returncode != 0:
            message = f"QuickFIX: {wheel} does not work; remove it and run again"
            raise SetUpError(message)


def install_project(steps: dict[str, str]) -> None:
    """Install this checkout in place, with the `oms` command."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        settings = tomllib.load(file)
    inputs = {name: settings.get(name) for name in ("build-system", "project")}
    key = digest(json.dumps(inputs, sort_keys=True), str(ROOT))
    if steps.get("project") == key and (VENV / "bin" / "oms").exists():
        return
    say("installing this checkout")
    command = [
        *(str(VENV_PYTHON), "-m", "pip", "install", "-qq", "--no-index", "--no-deps"),
        *("--no-build-isolation", "--editable", str(ROOT)),
    ]
    if subprocess.run(command, check=False).returncode != 0:
        message = "this checkout could not be installed into .venv"
        raise SetUpError(message)
    finish(steps, "project", key)


def inputs_digest(compiler: str) -> str:
    """What the packages step depends on, without running anything slow."""
    scripts = [path.read_text() for path in sorted(Path(__file__).parent.glob("*.py"))]
    return digest(LOCK.read_text(), (ROOT / "pyproject.toml").read_text(), compiler, *scripts)


def run() -> None:
    """Do whatever is not done yet."""
    if not venv_works():
        require_system_tools()
        make_venv()
    compiler = find_compiler() or ""
    everything = inputs_digest(compiler)
    if READY.exists() and READY.read_text() == everything:
        return
    READY.unlink(missing_ok=True)
    compiler = require_system_tools()
    steps = read_steps()
    install_packages(steps, compiler)
    install_project(steps)
    READY.write_text(inputs_digest(compiler))
    say("ready")


def main() -> int:
    """Set up, one run at a time."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "setup.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        try:
            run()
        except (SetUpError, build_quickfix.BuildError) as error:
            print(f"set-up: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
