"""Writes SETTINGS.md, the page of every setting: python -m deploy.settings_page"""

from pathlib import Path

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from shared.config import Settings, environment_names

PAGE = Path(__file__).with_name("SETTINGS.md")
# Defaults that the machine has a say in.
COMPUTED = {"cache_dir": "`$XDG_CACHE_HOME/drumbeat`, or else `~/.cache/drumbeat`"}
HEAD = """# Settings

Each one is read from the environment or from `.env` in the current folder. With `drumbeat up`
nothing has to be set. A value that cannot be read stops the start with the setting's name;
`drumbeat doctor` looks at all of them and changes nothing.

This page is made from `shared/config.py` by `python -m deploy.settings_page`.

| name | default | meaning |
|---|---|---|
"""
SECRETS = """
## Secrets

Each may also come from a file, as container platforms hand them over: put `_FILE` behind the name
and give the path, in the environment and not in `.env`. When both are set, the value wins.

"""
COMPOSE = """
## For docker-compose.yml alone

`.env.example` lists what it needs and how to make each value. `DRUMBEAT_OWNER_PASSWORD` and
`DRUMBEAT_APP_PASSWORD` are also read by `deploy/postgres/roles.sql`, which gives them to the roles.
"""


def make_page() -> str:
    """The whole page, as it has to be."""
    fields = Settings.model_fields
    rows = "".join(_row(name, field) for name, field in fields.items())
    secrets = "".join(_secret(name) for name, field in fields.items() if is_secret(name, field))
    return f"{HEAD}{rows}{SECRETS}{secrets}{COMPOSE}"


def is_secret(name: str, field: FieldInfo) -> bool:
    """Whether a file may hold it. Database URLs carry a password."""
    return "SecretStr" in str(field.annotation) or name.endswith("database_url")


def _row(name: str, field: FieldInfo) -> str:
    names = " or ".join(f"`{it}`" for it in environment_names(name))
    return f"| {names} | {_default(name, field)} | {field.description} |\n"


def _default(name: str, field: FieldInfo) -> str:
    if field.default_factory is not None:
        return COMPUTED[name]
    if field.default is PydanticUndefined:
        return "none: it must be set"
    if field.default is None or field.default == ():
        return "-"
    return f"`{field.default}`"


def _secret(name: str) -> str:
    return "- " + ", ".join(f"`{it}_FILE`" for it in environment_names(name)) + "\n"


def main() -> None:
    PAGE.write_text(make_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
