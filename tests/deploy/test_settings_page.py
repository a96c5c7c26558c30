"""deploy/SETTINGS.md tells of every setting what the settings class tells."""

from pathlib import Path

import pytest

from deploy.settings_page import PAGE, is_secret, make_page
from shared.config import Settings, environment_names

FIELDS = Settings.model_fields


def test_the_page_is_up_to_date() -> None:
    is_same = PAGE.read_text(encoding="utf-8") == make_page()
    assert is_same, "deploy/SETTINGS.md is old: run `python -m deploy.settings_page`"


@pytest.mark.parametrize("field", FIELDS)
def test_every_setting_has_its_names_and_a_sentence(field: str) -> None:
    description = FIELDS[field].description or ""
    assert description.endswith("."), f"{field} needs a description in shared/config.py"
    row = next(it for it in make_page().splitlines() if f"`{environment_names(field)[0]}`" in it)
    assert description in row
    assert all(f"`{name}`" in row for name in environment_names(field))


@pytest.mark.parametrize("field", [name for name in FIELDS if is_secret(name, FIELDS[name])])
def test_what_the_page_calls_a_secret_can_come_from_a_file(
    field: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = environment_names(field)[0]
    file = tmp_path / "secret"
    file.write_text("from the file\n")
    for each in environment_names(field):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(f"{name}_FILE", str(file))
    found = getattr(Settings(_env_file=None), field)
    assert (found if isinstance(found, str) else found.get_secret_value()) == "from the file"
    assert f"`{name}_FILE`" in make_page()


@pytest.mark.parametrize("field", [name for name in FIELDS if not is_secret(name, FIELDS[name])])
def test_what_is_no_secret_does_not_look_like_one(field: str) -> None:
    assert not field.endswith(("_secret", "_key", "_keys", "_password", "_token"))
