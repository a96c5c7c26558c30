"""A Google that runs on this machine: consent page, tokens and Gmail, all in memory.

The program is `emulate` from npm, which nobody here wrote. Its state ends with the process.
"""

import asyncio
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.local.ports import free_port
from deploy.local.probe import answers
from deploy.local.process import Child, Program
from deploy.sandbox.installation import install_emulator
from deploy.sandbox.node import Node, find_node

READY_SECONDS = 30
STOP_SECONDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleUser:
    """A mailbox, and the person who may give consent for it."""

    email: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthClient:
    """The application that asks for consent; `redirect_uris` are compared exactly."""

    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]
    name: str = "Drumbeat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """Who exists when the emulator starts. An unknown token counts as the first user."""

    users: tuple[GoogleUser, ...]
    client: OAuthClient

    def to_json(self) -> str:
        users = [asdict(user) for user in self.users]
        return json.dumps({"google": {"users": users, "oauth_clients": [asdict(self.client)]}})


class GoogleEmulator:
    """`async with GoogleEmulator(seed, log=path, cache=folder)`: starts, waits for and stops it."""

    def __init__(self, seed: Seed, *, log: Path, cache: Path) -> None:
        """`cache` is where the program is kept between runs."""
        self.seed = seed
        self._log = log
        self._port = free_port()
        self._cache = cache
        self._child: Child | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def environment(self) -> dict[str, str]:
        """The settings that make Drumbeat talk to this Google instead of the real one."""
        return {
            "DRUMBEAT_GOOGLE_CLIENT_ID": self.seed.client.client_id,
            "DRUMBEAT_GOOGLE_CLIENT_SECRET": self.seed.client.client_secret,
            "DRUMBEAT_GOOGLE_AUTH_URL": f"{self.url}/o/oauth2/v2/auth",
            "DRUMBEAT_GOOGLE_TOKEN_URL": f"{self.url}/oauth2/token",
            "DRUMBEAT_GOOGLE_REVOKE_URL": f"{self.url}/oauth2/revoke",
            "DRUMBEAT_GOOGLE_USERINFO_URL": f"{self.url}/oauth2/v2/userinfo",
            "DRUMBEAT_GOOGLE_CERTS_URL": f"{self.url}/oauth2/v3/certs",
            "DRUMBEAT_GMAIL_ENDPOINT": self.url,
            "DRUMBEAT_CALENDAR_ENDPOINT": f"{self.url}/calendar/v3/",
        }

    async def start(self) -> None:
        """Raises DidNotStart with the end of its log, Misconfigured when npm cannot install it."""
        node = await asyncio.to_thread(find_node)
        entry = await asyncio.to_thread(install_emulator, node, self._cache)
        with tempfile.TemporaryDirectory(prefix="drumbeat-google-") as folder:
            seed = Path(folder) / "seed.json"
            seed.write_text(self.seed.to_json(), encoding="utf-8")
            self._child = await Child.spawn(self._program(node, entry, seed))
            try:
                await self._child.until_ready()
            except BaseException:
                await self.stop()
                raise

    async def stop(self) -> None:
        """Stop it; its mailboxes are gone with it. Harmless when it was never started."""
        child, self._child = self._child, None
        if child is not None:
            await child.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    def _program(self, node: Node, entry: Path, seed: Path) -> Program:
        where = ("--port", str(self._port), "--base-url", self.url)
        what = ("start", "--service", "google", "--seed", str(seed))
        return Program(
            name="google",
            command=(str(node.executable), str(entry), *what, *where),
            environment=node.environment(),
            log=self._log,
            is_ready=lambda: answers(f"{self.url}/.well-known/openid-configuration"),
            ready_seconds=READY_SECONDS,
            stop_seconds=STOP_SECONDS,
        )
