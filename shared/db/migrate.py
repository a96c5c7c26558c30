"""Brings the tables up to date, as their owner."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from shared.errors import Misconfigured

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(owner_url: str, app_role: str, *, revision: str = "head") -> None:
    """Run every migration that is missing. `app_role`: the login that gets the privileges.

    Raises Misconfigured when the application and the owner would be the same login.
    """
    config = make_config(owner_url, app_role)
    command.upgrade(config, revision)


def make_config(owner_url: str, app_role: str) -> Config:
    if not app_role.replace("_", "").isalnum():
        raise Misconfigured(
            f"The application login {app_role!r} in DATABASE_URL may only have letters, digits"
            " and underscores"
        )
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = owner_url
    config.attributes["app_role"] = app_role
    return config
