"""`drumbeat rehearse` and the tests that a team writes with it: from a file alone."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.cli import run
from deploy.file_scenes import read_leads
from deploy.rehearsing import bounce, out_of_office, rehearse_file, unsubscribe
from shared.errors import Misconfigured
from shared.importing.headers import FIELDS
from tests.architecture.source import ROOT

MAILS = str(ROOT / "examples" / "three-mails.yaml")
ALL = ROOT / "examples" / "all-channels.yaml"
ADA = "lead-1@example.com"


def rehearse(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["rehearse", *arguments]) == 0
    return capsys.readouterr().out


def report(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(rehearse(capsys, *arguments, "--json"))
    return found


def test_the_same_seed_prints_the_same_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    first, second, other = (
        rehearse(capsys, MAILS, "--leads", "60", "--seed", seed, "--json") for seed in "778"
    )

    assert first == second != other
    assert first.count("\n") == 1


@pytest.mark.parametrize("file", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda it: it.stem)
def test_every_example_can_be_rehearsed(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = report(capsys, str(file), "--leads", "5", "--start", "2026-03-02")

    assert found["people"] == 5
    assert found["begins_at"] == "2026-03-02T00:00:00Z"
    assert found["schedule"]


def test_people_read_what_moved_their_steps(capsys: pytest.CaptureFixture[str]) -> None:
    words = rehearse(capsys, MAILS, "--leads", "90", "--daily-limit", "20", "--start", "2026-03-20")

    assert "90 leads" in words
    assert "the account's 20 a day" in words
    assert "a day without sending hours" in words
    assert "--whole prints them" in words
    whole = rehearse(capsys, str(ALL), "--leads", "30", "--zone", "Europe/Berlin", "--whole")
    assert "--whole prints them" not in whole


def test_clocks_that_are_moved_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    more = ("--zone", "Europe/Berlin", "--start", "2026-03-25", "--leads", "9")

    words = rehearse(capsys, MAILS, *more)

    assert "Europe/Berlin: clocks go forward by 1:00:00 at 2026-03-29T01:00:00Z" in words


def test_leads_come_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leads = tmp_path / "leads.csv"
    leads.write_text("E-Mail,Time zone,Shoe size\nada@example.com,Asia/Tokyo,38\n", "utf-8")
    assert "email" in FIELDS

    found = report(capsys, MAILS, "--leads-file", str(leads), "--start", "2026-03-02")

    assert {line["lead"] for line in found["schedule"]} == {"ada@example.com"}
    assert found["schedule"][0]["local"].endswith("+0900")
    leads.write_text("Shoe size\n38\n", "utf-8")
    with pytest.raises(Misconfigured, match="neither a column"):
        read_leads(leads)


def test_behaviour_is_read_as_the_api_reads_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rates = tmp_path / "behaviour.json"
    rates.write_text('{"reply_rate": 1, "bounce_rate": 0, "reply_within_hours": 2}', "utf-8")

    found = report(capsys, MAILS, "--leads", "9", "--behaviour", str(rates))

    assert found["outcomes"] == {"replied": 9}
    assert run(["rehearse", MAILS, "--behaviour", '{"replies": 1}']) == 2
    assert "--behaviour cannot be read" in capsys.readouterr().err


def test_a_file_that_cannot_be_read_says_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: Spring\ntype: email\nstep: []\n", "utf-8")

    assert run(["rehearse", str(broken)]) == 2
    assert "line 3" in capsys.readouterr().err
    broken.write_text("name: Spring\ntype: email\nsteps: []\n", "utf-8")
    assert run(["rehearse", str(broken)]) == 2
    assert "nothing to rehearse" in capsys.readouterr().err


def test_the_example_of_a_teams_own_tests_passes() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    example = str(ROOT / "examples" / "test_all_channels.py")

    done = subprocess.run(  # noqa: S603 - our own example
        [*command, example], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert "4 passed" in done.stdout, done.stdout


def test_the_readme_shows_a_test_that_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme = (ROOT / "deploy" / "README.md").read_text("utf-8")
    [code] = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    monkeypatch.chdir(ROOT)
    namespace: dict[str, Any] = {}

    exec(compile(code, "README", "exec"), namespace)  # noqa: S102 - our own documentation

    tests = [it for name, it in namespace.items() if name.startswith("test_")]
    assert tests
    for test in tests:
        test()


def test_what_happens_for_certain_happens() -> None:
    gone = rehearse_file(MAILS, happenings=[bounce()])
    assert gone.ending_of(ADA) == "bounced"
    assert gone.steps_of(ADA) == ["hello"]

    left = rehearse_file(MAILS, happenings=[unsubscribe(day=1)])
    assert left.ending_of(ADA) == "unsubscribed"

    silent, away = (
        rehearse_file(MAILS, happenings=them) for them in ([], [out_of_office(day=1, days_away=30)])
    )
    assert away.dates_of(ADA)[1] > silent.dates_of(ADA)[1]
    assert silent.ending_of(ADA) == "completed"
    with pytest.raises(KeyError, match="is one"):
        silent.ending_of("nobody@example.com")
