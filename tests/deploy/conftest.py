"""A folder and settings of its own for each test."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import temporal
from shared.config import Settings, environment_names

SHARED = "cache_dir"  # building the servers for every test would take all day


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short enough for a socket, and servers with another user may pass through."""
    made = Path(tempfile.mkdtemp(prefix="drumbeat-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def said() -> list[str]:
    """What was said to the person who watches: pass `said.append`."""
    return []


@pytest.fixture(autouse=True)
def only_our_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a developer has set for their own servers is not for tests."""
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    for field in set(Settings.model_fields) - {SHARED}:
        for name in environment_names(field):
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(f"{name}_FILE", raising=False)


@pytest.fixture(autouse=True)
def no_usual_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests run side by side, and each would want them first."""
    monkeypatch.setattr(temporal, "USUAL_PORTS", {})
