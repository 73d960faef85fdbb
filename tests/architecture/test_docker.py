"""docker/ without Docker: what compose.yaml, the Dockerfile and their files say of each other.

No image is built here. What is checked: every path exists, every `oms` command parses, every
variable and secret is one that the server reads and that make_secrets.py makes.
"""

import ast
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from oms.cli import commands
from oms.settings.load import ConfigError, load
from tests.architecture import sources

DOCKER = sources.ROOT / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, one in SERVICES.items() if one["image"] == "plumbline")
CONFIG = "/etc/plumbline/oms.toml"
OWN_IMAGE_DIRECTORIES = ("core", "exchange", "statements")

# Of the compose specification, what stands in this file.
TOP_KEYS = {"name", "services", "networks", "volumes", "secrets"}
SERVICE_KEYS = {
    *("build", "cap_drop", "command", "depends_on", "env_file", "environment", "healthcheck"),
    *("image", "logging", "networks", "ports", "profiles", "read_only", "restart", "secrets"),
    *("security_opt", "shm_size", "stop_grace_period", "tmpfs", "volumes"),
}
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}
RESTARTS = {"no", "always", "on-failure", "unless-stopped"}
DURATION = re.compile(r"(\d+(us|ms|s|m|h))+")
IMAGE = re.compile(r"[a-z0-9-]+(:[a-z0-9][a-z0-9.-]*)?")


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's, each on one line."""
    lines = [line for line in DOCKERFILE.splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    found = [line.partition(" ") for line in joined.splitlines() if line.strip()]
    return [(name, rest.strip()) for name, _, rest in found]


def all_of(name: str) -> list[str]:
    return [rest for found, rest in instructions() if found == name]


def test_the_file_has_only_keys_that_compose_knows() -> None:
    assert {key for key in COMPOSE if not key.startswith("x-")} == TOP_KEYS
    assert {key for one in SERVICES.values() for key in one} <= SERVICE_KEYS
    assert set(SERVICES) == {"postgres", "core-a", "core-b", "api", "jobs", "exchange"}
    for one in SERVICES.values():
        assert one["restart"] in RESTARTS
        assert DURATION.fullmatch(one.get("stop_grace_period", "30s"))
        assert set(one["networks"]) <= set(COMPOSE["networks"])
        assert set(one.get("secrets", [])) <= set(COMPOSE["secrets"])
        for name, how in one.get("depends_on", {}).items():
            assert name in SERVICES
            assert how["condition"] in CONDITIONS


def test_no_image_comes_from_a_host_of_its_own_or_without_a_version() -> None:
    images = [one["image"] for one in SERVICES.values()]
    images += [image.split(" ")[0] for image in all_of("FROM")]
    assert all(IMAGE.fullmatch(image) for image in images), images
    assert all(":" in image for image in images if image != "plumbline"), images


def test_every_path_exists() -> None:
    for name, one in SERVICES.items():
        for line in one.get("volumes", []):
            source, target, *options = line.split(":")
            assert target.startswith("/"), line
            assert options in ([], ["ro"]), line
            if source.startswith("."):
                assert (DOCKER / source).is_file(), f"{name}: {source}"
                assert options == ["ro"], f"{name}: {source}"
            else:
                assert source in COMPOSE["volumes"], f"{name}: {source}"
                where = target.removeprefix("/var/lib/plumbline/")
                assert name == "postgres" or where in OWN_IMAGE_DIRECTORIES, f"{name}: {target}"
    for name in OURS:
        build = SERVICES[name]["build"]
        assert (DOCKER / build["context"]).resolve() == sources.ROOT
        assert (sources.ROOT / build["dockerfile"]).is_file()


@pytest.mark.parametrize("name", OURS)
def test_every_command_of_ours_parses(name: str) -> None:
    words = SERVICES[name]["command"]
    group: Any = typer.main.get_command(commands)
    context = group.make_context("oms", list(words))
    _, command, rest = group.resolve_command(context, list(words))
    assert command is not None
    made = command.make_context(words[0], rest, parent=context)
    assert str(made.params["config"]) == CONFIG
    assert any(line.startswith("./oms.toml:" + CONFIG) for line in SERVICES[name]["volumes"])


def make_secrets(directory: Path) -> str:
    command = [sys.executable, str(DOCKER / "make_secrets.py"), str(directory)]
    return subprocess.run(
        command, check=True, cwd=sources.ROOT, capture_output=True, text=True, timeout=60
    ).stdout


def configured(directory: Path, text: str) -> Path:
    """A configuration as a container has it, its secrets in `directory`."""
    path = directory / "oms.toml"
    path.write_text(text.replace("/run/secrets", str(directory)))
    return path


@pytest.mark.parametrize("name", OURS)
def test_each_service_can_read_its_configuration(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its own secrets and variables only."""
    made = tmp_path / "made"
    make_secrets(made)
    given = tmp_path / "given"
    given.mkdir()
    for secret in SERVICES[name]["secrets"]:
        file = DOCKER / COMPOSE["secrets"][secret]["file"]
        assert file.parent == DOCKER / "secrets"
        (given / secret).write_bytes((made / file.name).read_bytes())
    for key, value in SERVICES[name].get("environment", {}).items():
        monkeypatch.setenv(key, value.replace("/run/secrets", str(given)))
    for line in SERVICES[name].get("env_file", []):
        for variable in (made / Path(line).name).read_text().splitlines():
            key, _, value = variable.partition("=")
            monkeypatch.setenv(key, *shlex.split(value))
    settings = load(configured(given, (DOCKER / "oms.toml").read_text()))
    assert settings.database.url is not None
    assert settings.database.url.get_secret_value().startswith("postgresql://plumbline_app:")
    owner = settings.database.owner_url
    assert (owner is not None) is name.startswith("core")
    assert bool(settings.api.keys) is (name == "api")


def test_what_is_published_is_listened_on(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    settings = load(configured(tmp_path, (DOCKER / "oms.toml").read_text()))
    listened = {
        "core-a": {settings.acceptor.port, settings.core.metrics_port},
        "core-b": {settings.acceptor.port, settings.core.metrics_port},
        "api": {settings.api.port},
        "jobs": {settings.jobs.metrics_port},
    }
    hosts: list[str] = []
    for name, ports in listened.items():
        found = [line.rsplit(":", 2) for line in SERVICES[name]["ports"]]
        assert {int(inner) for _, _, inner in found} == ports
        assert {host for host, _, _ in found} == {"127.0.0.1"}
        hosts += [outer for _, outer, _ in found]
    assert len(hosts) == len(set(hosts)), "a port of this machine is published twice"
    assert settings.venues[0].host in SERVICES
    assert str(settings.core.data_dir).startswith("/var/lib/plumbline/core")


def test_secrets_are_made_once_and_only_for_containers(tmp_path: Path) -> None:
    directory = tmp_path / "secrets"
    said = make_secrets(directory)
    assert directory.stat().st_mode & 0o077 == 0
    files = {Path(one["file"]).name for one in COMPOSE["secrets"].values()} | {"api.env"}
    assert files <= {path.name for path in directory.iterdir()}
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    assert "API key admin" in said
    assert make_secrets(directory) == ""
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before
    text = before["api.env"].decode()
    assert said.split("API key admin")[1].split()[0] not in text
    ignored = (sources.ROOT / ".gitignore").read_text().splitlines()
    assert "/docker/secrets/" in ignored


def test_the_published_example_s_keys_are_not_in_it(tmp_path: Path) -> None:
    """The server would refuse them there; the check itself is in force for this file."""
    make_secrets(tmp_path)
    example = load(sources.ROOT / "config" / "oms.toml").clients[0].password_hash
    (tmp_path / "alpha_password_hash").write_text(example)
    with pytest.raises(ConfigError, match="is the published example's"):
        load(configured(tmp_path, (DOCKER / "oms.toml").read_text()))


def test_the_database_gets_roles_and_passwords_in_order() -> None:
    mounted = [line.split(":")[1] for line in SERVICES["postgres"]["volumes"] if "initdb" in line]
    assert mounted == sorted(mounted)
    roles = (DOCKER / "roles.sql").read_text()
    passwords = (DOCKER / "passwords.sql").read_text()
    named = re.findall(r"ALTER ROLE (\w+) PASSWORD", passwords)
    assert sorted(named) == sorted(set(re.findall(r"'(plumbline\w*)'", roles)) & set(named))
    assert len(named) == 3
    secrets = re.findall(r"/run/secrets/(\w+)", passwords)
    assert set(secrets) <= set(SERVICES["postgres"]["secrets"])


def test_the_image_is_made_of_what_exists() -> None:
    for line in all_of("COPY"):
        words = line.split()
        if words[0].startswith("--from="):
            assert words[0] == "--from=build"
            continue
        assert all((sources.ROOT / path).exists() for path in words[:-1]), line
    wanted = {word for line in all_of("COPY") for word in line.split()[:-1] if word[0] != "-"}
    let_in = (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()
    assert {line[1:] for line in let_in if line.startswith("!")} == wanted - {"/opt/plumbline"}


def test_the_image_runs_the_process_itself_as_nobody_special() -> None:
    for name in ("ENTRYPOINT", "CMD"):
        assert all(json.loads(line) for line in all_of(name)), "the exec form: signals arrive"
    assert json.loads(all_of("ENTRYPOINT")[-1]) == ["oms"]
    assert all_of("USER") == ["10001:10001"]
    assert all_of("STOPSIGNAL") == ["SIGTERM"]
    [check] = all_of("HEALTHCHECK")
    script = json.loads(check.partition("CMD")[2])[1].removeprefix("/opt/plumbline/")
    assert (sources.ROOT / script).is_file()
    order = [name for name, _ in instructions()]
    assert order.index("USER") > len(order) - order[::-1].index("COPY") - 1
    assert all("rm -rf /var/lib/apt/lists" in line for line in all_of("RUN") if "apt-get" in line)
    assert not re.search(r"\bcurl\b|\bwget\b|\bADD\b|latest", DOCKERFILE)


def test_what_development_alone_needs_leaves_the_image_and_nothing_else() -> None:
    command = [sys.executable, str(DOCKER / "runtime_only.py")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    removed = set(done.stdout.split())
    assert {"pytest", "mypy", "ruff", "trustme", "cryptography", "pyyaml"} <= removed
    assert "plumbline" not in removed
    imported = {
        name.split(".")[0].lower().replace("_", "-")
        for path in sources.files("oms", "ems", "fix_sessions", "migrations", "docker")
        if path.name != "runtime_only.py"
        for _, name in sources.imports(path)
    }
    assert {"quickfix", "sqlalchemy", "msgspec"} <= imported
    assert not imported & removed


def test_scripts_can_be_read_by_every_python_we_support() -> None:
    for path in DOCKER.glob("*.py"):
        ast.parse(path.read_text(), filename=path.name, feature_version=(3, 11))
