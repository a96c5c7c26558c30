"""Docker Compose reads docker-compose.yml as our tests do: `make check-compose`."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.config import Settings
from tests.deploy.compose_file import COMPOSE, read_services, required_variables

VARIABLES = dict.fromkeys(required_variables(), "sample")
VERSION = "2.40.3"
PACKAGE = "github.com/docker/compose/v2/cmd"


@pytest.mark.compose
@pytest.mark.timeout(900)
def test_compose_itself_reads_the_file_as_we_do(tmp_path: Path) -> None:
    """Builds Compose with Go where `docker compose` is not there: three minutes, once."""
    variables = VARIABLES | {"GOOGLE_CLIENT_ID": "handed on"}
    file = tmp_path / "env"
    file.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
    shown = _run_compose("--env-file", str(file), "--profile", "telemetry", "config")
    resolved: dict[str, Any] = yaml.safe_load(shown)["services"]
    expected = read_services(variables)
    assert resolved.keys() == expected.keys()
    for name, service in expected.items():
        given = resolved[name].get("environment") or {}
        known = {key: value for key, value in given.items() if value is not None}
        assert known == service.environment
        assert tuple(resolved[name].get("command") or ()) == service.command


def _run_compose(*arguments: str) -> str:
    command = [*_compose(), "--file", str(COMPOSE), *arguments]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(Path.home())}
    result = subprocess.run(  # noqa: S603 - our own words
        command, capture_output=True, text=True, check=False, timeout=60, env=environment
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def _compose() -> list[str]:
    docker = shutil.which("docker")
    if docker and _succeeds([docker, "compose", "version"]):
        return [docker, "compose"]
    program = Settings().cache_dir.expanduser() / f"compose-{VERSION}"
    if not program.exists():
        _build_compose(program)
    return [str(program)]


def _build_compose(program: Path) -> None:
    go = shutil.which("go")
    if go is None:
        pytest.skip("neither `docker compose` nor Go is here: nothing to read the file with")
    # In a module of its own: `go install` refuses a module that replaces others.
    folder = program.with_name(f"{program.name}.module")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "go.mod").write_text("module compose.invalid\n\ngo 1.23\n")
    unfinished = folder / "compose"
    steps = [
        [go, "get", f"{PACKAGE}@v{VERSION}"],
        [go, "build", "-trimpath", "-ldflags=-s -w", "-o", str(unfinished), PACKAGE],
    ]
    for step in steps:
        subprocess.run(step, cwd=folder, check=True, capture_output=True)  # noqa: S603 - our own words
    unfinished.rename(program)
    shutil.rmtree(folder)


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False, timeout=30).returncode == 0  # noqa: S603 - our own words
