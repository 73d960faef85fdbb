"""The set-up's promises: the lock names no index, the compiler's stand-in and the cache hold."""

import importlib
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from tests.architecture import sources

SETUP = sources.ROOT / "setup"


def locked() -> dict[str, str]:
    text = (sources.ROOT / "requirements.lock").read_text()
    pattern = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)
    return {match[1]: match[2] for match in pattern.finditer(text)}


def test_the_lock_names_no_address_and_hashes_every_file() -> None:
    text = (sources.ROOT / "requirements.lock").read_text()
    assert "://" not in text
    assert not re.search(r"^\s*--(?!hash)", text, re.MULTILINE)
    entries = re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in entry for entry in entries)


def test_every_dependency_is_locked() -> None:
    with (sources.ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[\[<>=;, ]", line)[0].lower().replace("_", "-") for line in wanted}
    assert names <= set(locked())


def test_every_dependency_says_what_it_is_for() -> None:
    lines = (sources.ROOT / "pyproject.toml").read_text().splitlines()
    silent = [
        line for line in lines if re.match(r'\s+"[a-z0-9_\[\]-]+[<>=]', line) and "#" not in line
    ]
    assert not silent


def test_the_stand_in_compiles_when_it_comes_to_linking(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    for name in ("one", "two", "three", "four"):
        (tmp_path / f"{name}.cpp").write_text(
            f'extern "C" int {name}() {{ return {len(name)}; }}\n'
        )
    environment = {**os.environ, "PLUMBLINE_COMPILE_NOTES": str(notes)}

    def call(*arguments: str) -> None:
        command = [sys.executable, str(SETUP / "compile_later.py"), "c++", *arguments]
        subprocess.run(command, check=True, cwd=tmp_path, env=environment, timeout=100)

    for name in ("one", "two", "three", "four"):
        call("-fPIC", "-O3", "-g", "-c", f"{name}.cpp", "-o", f"{name}.o")
    assert (tmp_path / "one.o").stat().st_size == 0
    call("-shared", "one.o", "two.o", "three.o", "four.o", "-o", "all.so")
    program = "import ctypes; lib = ctypes.CDLL('./all.so'); print(lib.one() + lib.three())"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.strip() == "8"


@pytest.fixture
def build_quickfix(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SETUP))
    return importlib.import_module("build_quickfix")


def test_a_cached_wheel_that_was_changed_is_not_used(
    build_quickfix: ModuleType, tmp_path: Path
) -> None:
    wheel = tmp_path / "quickfix-1.whl"
    wheel.write_bytes(b"wheel")
    folder = tmp_path / "cache" / "key"
    stored = build_quickfix.store_wheel(wheel, folder)
    assert stored.read_bytes() == b"wheel"
    assert build_quickfix.cached_wheel(folder) == stored
    stored.write_bytes(b"other")
    assert build_quickfix.cached_wheel(folder) is None


def test_a_cached_wheel_that_others_may_write_is_not_used(
    build_quickfix: ModuleType, tmp_path: Path
) -> None:
    wheel = tmp_path / "quickfix-1.whl"
    wheel.write_bytes(b"wheel")
    stored = build_quickfix.store_wheel(wheel, tmp_path / "cache" / "key")
    stored.chmod(0o666)
    assert build_quickfix.cached_wheel(stored.parent) is None
