"""Builds QuickFIX's wheel from its locked source, or takes it from the cache.

The cache lies in the user's cache directory, so that a second clone need not compile again. Its key
covers everything that decides the result (source, build steps, Python, compiler, C library), and a
wheel is used only if it belongs to this user and still has the hash written down beside it.
"""

import hashlib
import inspect
import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
WRAPPER = HERE / "compile_later.py"
SAY_EVERY_S = 10
BUILD_LIMIT_S = 1800

Say = Callable[[str], None]


class BuildError(Exception):
    """QuickFIX could not be built; the text says where to look."""


def cache_root() -> Path:
    """Where built wheels are kept: PLUMBLINE_CACHE, else the user's cache directory."""
    own = os.environ.get("PLUMBLINE_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "plumbline"


def cache_key(requirement: str, compiler: str) -> str:
    """A digest of everything that decides what the built wheel contains."""
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True)
    parts = [
        requirement,
        sys.version,
        str(sysconfig.get_config_var("SOABI")),
        sysconfig.get_platform(),
        " ".join(platform.libc_ver()),
        compiler,
        version.stdout,
        WRAPPER.read_text(),
        inspect.getsource(compile_wheel),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def cached_wheel(folder: Path) -> Path | None:
    """The wheel in a cache folder, if it is ours and unchanged since it was put there."""
    wheels = list(folder.glob("quickfix-*.whl"))
    if len(wheels) != 1:
        return None
    wheel = wheels[0]
    noted = wheel.with_suffix(".sha256")
    for path in (folder, wheel, noted):
        if not path.exists() or path.stat().st_uid != os.getuid() or path.stat().st_mode & 0o022:
            return None
    if noted.read_text().strip() != hashlib.sha256(wheel.read_bytes()).hexdigest():
        return None
    return wheel


def store_wheel(wheel: Path, folder: Path) -> Path:
    """Put a built wheel into the cache in one rename, so that a half-written one is never seen."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=folder.parent))
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    copy = staging / wheel.name
    shutil.copyfile(wheel, copy)
    copy.chmod(0o644)
    (staging / wheel.name).with_suffix(".sha256").write_text(digest + "\n")
    (staging / wheel.name).with_suffix(".sha256").chmod(0o644)
    shutil.rmtree(folder, ignore_errors=True)
    staging.rename(folder)
    return folder / wheel.name


def download(python: Path, requirement: str, work: Path) -> Path:
    """Fetch and unpack the source distribution; pip checks its hash against the lock."""
    wanted = work / "quickfix.txt"
    wanted.write_text(requirement)
    command = [
        *(str(python), "-m", "pip", "download", "-qq", "--no-deps", "--use-pep517"),
        *("--no-build-isolation", "--no-binary", ":all:", "--require-hashes"),
        *("-r", str(wanted), "-d", str(work / "sdist")),
    ]
    done = subprocess.run(command, check=False)
    archives = list((work / "sdist").glob("quickfix-*.tar.gz"))
    if done.returncode != 0 or len(archives) != 1:
        message = "QuickFIX: its source could not be downloaded"
        raise BuildError(message)
    # Its hash was checked, so what it unpacks to is known.
    shutil.unpack_archive(archives[0], work / "source")
    return next((work / "source").iterdir())


def build(python: Path, compiler: str, requirement: str, say: Say) -> Path:
    """Return the path of a QuickFIX wheel for `python`, built now or found in the cache.

    `requirement` is the lock's entry for QuickFIX, hashes included. Raises BuildError.
    """
    folder = cache_root() / "quickfix" / cache_key(requirement, compiler)
    found = cached_wheel(folder)
    if found is not None:
        say("QuickFIX: built before, taken from the cache")
        return found
    (HERE.parent / ".cache").mkdir(exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="quickfix-", dir=HERE.parent / ".cache"))
    try:
        say("QuickFIX: fetching its source")
        wheel = compile_wheel(python, compiler, download(python, requirement, work), say)
        return store_wheel(wheel, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def compile_wheel(python: Path, compiler: str, source: Path, say: Say) -> Path:
    """Run setuptools with the wrapper as its compiler, and say every few seconds how far it is."""
    work = source.parent.parent
    notes = work / "notes"
    notes.mkdir()
    wrapped = shlex.join([str(python), str(WRAPPER), compiler])
    environment = {
        **os.environ,
        "CC": wrapped,
        "CXX": wrapped,
        "LDSHARED": f"{wrapped} -shared",
        "LDCXXSHARED": f"{wrapped} -shared",
        "PLUMBLINE_COMPILE_NOTES": str(notes),
    }
    backend = "import sys, setuptools.build_meta as backend; backend.build_wheel(sys.argv[1])"
    log = HERE.parent / ".cache" / "quickfix-build.log"
    cores = len(os.sched_getaffinity(0))
    say(f"QuickFIX: compiling on {cores} core{'s' * (cores > 1)}; this takes a minute or three")
    started = time.monotonic()
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(python), "-c", backend, str(work / "wheel")],
            cwd=source,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            watch(process, notes, started, say)
        finally:
            process.kill()
            process.wait()
    wheels = list((work / "wheel").glob("quickfix-*.whl"))
    if process.returncode != 0 or len(wheels) != 1:
        message = f"QuickFIX: the build failed, see {log}"
        raise BuildError(message)
    say(f"QuickFIX: built in {time.monotonic() - started:.0f} s")
    return wheels[0]


def watch(process: subprocess.Popen[bytes], notes: Path, started: float, say: Say) -> None:
    """Wait for the build, saying every ten seconds how many of its units are compiled."""
    while True:
        try:
            process.wait(SAY_EVERY_S)
        except subprocess.TimeoutExpired:
            elapsed = time.monotonic() - started
            total = notes / "units"
            units = total.read_text() if total.exists() else "?"
            done = len(list(notes.glob("*.done")))
            say(f"QuickFIX: {elapsed:3.0f} s, {done} of {units} units compiled")
            if elapsed > BUILD_LIMIT_S:
                message = f"QuickFIX: not built after {BUILD_LIMIT_S} s"
                raise BuildError(message) from None
        else:
            return
