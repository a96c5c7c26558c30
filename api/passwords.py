"""Passwords as argon2id hashes. Hashing blocks and takes much memory: in threads, few at once."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

MOST_AT_ONCE = 4


class Passwords:
    """`hasher` may be a cheap one in tests."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._gate = asyncio.Semaphore(MOST_AT_ONCE)
        self._nobodys = self._hasher.hash("a password that nobody has")

    async def hash(self, password: str) -> str:
        async with self._gate:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def is_right(self, password: str, password_hash: str | None) -> bool:
        """None: there is no such account, and finding that out must take as long."""
        async with self._gate:
            is_match = await asyncio.to_thread(
                self._verify, password_hash or self._nobodys, password
            )
        return is_match and password_hash is not None

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (Argon2Error, InvalidHashError):
            return False
