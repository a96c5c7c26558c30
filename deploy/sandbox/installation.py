"""The emulator's program, installed once per version into the user's cache."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from filelock import FileLock

from deploy.local.progress import say
from deploy.sandbox.node import Node
from shared.errors import Misconfigured

MANIFESTS = ("package.json", "package-lock.json")
INSTALL_SECONDS = 300
# (what the emulator has, what Gmail does): each must be found exactly once.
CORRECTIONS = (
    # It cuts the search operator one letter short, so a search by Message-ID never finds a mail.
    (
        'cleaned.slice(11).replace(/[<>]/g, "").toLowerCase()',
        'cleaned.slice(12).replace(/[<>]/g, "").toLowerCase()',
    ),
    # It does not let the caller choose an event's id, by which a repetition is the same event.
    (
        'status: getString(body, "status") ?? "confirmed",',
        'google_id: getString(body, "id"), status: getString(body, "status") ?? "confirmed",',
    ),
    # After 5,000 requests with one token it refuses for an hour, in a form that Gmail never uses.
    ("counter = { remaining: 5e3,", "counter = { remaining: 1e12,"),
)
# The library of tools beside the server is not started by us; its copies stay as they are.
UNCORRECTED = "api.js"


def install_emulator(node: Node, cache: Path) -> Path:
    """Return the program's entry file; install it first if this version is not there yet.

    Blocking. The folder appears under its name only when it is complete, so that a start that
    was interrupted leaves nothing half done behind.
    """
    cache = cache.expanduser()
    folder = cache / f"emulate-{_fingerprint()}"
    entry = folder / "node_modules" / "emulate" / "dist" / "index.js"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "emulate.lock"):
        if not entry.exists():
            _install_into(folder, node)
    return entry


def correct(dist: Path) -> None:
    """Make the emulator behave like Gmail where it is known to differ."""
    sources = [path for path in sorted(dist.glob("*.js")) if path.name != UNCORRECTED]
    for wrong, right in CORRECTIONS:
        holders = [path for path in sources if wrong in path.read_text(encoding="utf-8")]
        if len(holders) != 1:
            raise Misconfigured(
                f"The emulator has {len(holders)} places that read {wrong!r}, not one: "
                "another version was installed than package-lock.json pins"
            )
        text = holders[0].read_text(encoding="utf-8")
        holders[0].write_text(text.replace(wrong, right), encoding="utf-8")


def _install_into(folder: Path, node: Node) -> None:
    say("installing the Google emulator (once, about 11 MB)")
    with tempfile.TemporaryDirectory(prefix=".emulate-", dir=folder.parent) as temporary:
        building = Path(temporary) / "built"
        building.mkdir()
        for name in MANIFESTS:
            shutil.copy(Path(__file__).parent / name, building)
        _npm_ci(building, node)
        correct(building / "node_modules" / "emulate" / "dist")
        building.rename(folder)


def _npm_ci(folder: Path, node: Node) -> None:
    command = [str(node.executable), str(node.npm), "ci"]
    flags = ["--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(  # noqa: S603 - our own Node, with fixed arguments
        [*command, *flags],
        cwd=folder,
        env={**os.environ, **node.environment()},
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
    )
    if done.returncode:
        raise Misconfigured(
            "npm could not install the Google emulator; is its registry reachable? "
            f"It said: {done.stderr.strip()[-600:]}"
        )


def _fingerprint() -> str:
    """Changes with the pinned packages and with our corrections."""
    digest = hashlib.sha256(repr(CORRECTIONS).encode())
    for name in MANIFESTS:
        digest.update((Path(__file__).parent / name).read_bytes())
    return digest.hexdigest()[:12]
