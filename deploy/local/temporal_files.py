"""What the Temporal server finds in its folder when it starts: a sound database, its settings."""

import contextlib
import re
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from string import Template

from shared.errors import Misconfigured

TEMPLATES = Path(__file__).parents[1] / "temporal"
DATABASE = "temporal.db"
_SETTING = re.compile(r"^([\w.]+): \[\{value: (.+?)\}\]")


def prepare_database(database: Path) -> None:
    """Mend what a kill may have left. Nobody may be using the file.

    - Killed while its tables were made, the server would never start on the file again; there is
      nothing in it yet, so it goes.
    - The members of the last run are remembered as alive for half a minute, and called; with
      other ports than before everything would wait for them.
    """
    if not database.exists():
        return
    try:
        with contextlib.closing(sqlite3.connect(database)) as connection:
            is_whole = _has_namespaces(connection)
            if is_whole:
                connection.execute("DELETE FROM cluster_membership")
                connection.commit()
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.DatabaseError as error:
        raise Misconfigured(
            f"{database} cannot be read ({error}). Move {database.parent} away and start again: "
            "open recipients are then started anew from the database."
        ) from error
    if not is_whole:
        for file in database.parent.glob(f"{database.name}*"):
            file.unlink()


def write_settings(folder: Path, values: Mapping[str, object]) -> None:
    """Fill in the templates of the server and of its UI."""
    for name in ("server.yaml", "dynamic-config.yaml", "ui.yaml"):
        template = Template((TEMPLATES / name).read_text(encoding="utf-8"))
        text = template.substitute(values) if name != "dynamic-config.yaml" else template.template
        (folder / name).write_text(text, encoding="utf-8")


def dynamic_settings() -> dict[str, str]:
    """The settings of dynamic-config.yaml, each value as JSON."""
    lines = (TEMPLATES / "dynamic-config.yaml").read_text(encoding="utf-8").splitlines()
    found = (_SETTING.match(line) for line in lines)
    return {match[1]: _as_json(match[2]) for match in found if match}


def _as_json(value: str) -> str:
    return value if value in {"true", "false"} or value.isdecimal() else f'"{value}"'


def _has_namespaces(connection: sqlite3.Connection) -> bool:
    """A first start that came to its end has stored at least the server's own one."""
    tables = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'namespaces'")
    if tables.fetchone() is None:
        return False
    return connection.execute("SELECT 1 FROM namespaces LIMIT 1").fetchone() is not None
