"""Who calls, in which company, and what that allows."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from shared.db.models import Role
from shared.errors import NotAllowed


class Scope(StrEnum):
    """What an API key is good for; `write` includes `read`."""

    READ = "read"
    WRITE = "write"
    INBOUND = "inbound"


class Permission(StrEnum):
    READ = "read"
    WRITE = "write"
    ADMINISTER = "administer"
    REPORT = "report what came in"
    ANSWER = "work replies"
    CONNECT = "connect an account"


ANYBODY = frozenset(Role)
ROLES = {
    Permission.READ: ANYBODY,
    Permission.WRITE: frozenset({Role.ADMIN, Role.DIRECTOR}),
    Permission.ADMINISTER: frozenset({Role.ADMIN}),
    Permission.REPORT: ANYBODY,
    Permission.ANSWER: ANYBODY,
    Permission.CONNECT: ANYBODY,
}
# What is missing here only a person may do.
SCOPES = {
    Permission.READ: frozenset({Scope.READ, Scope.WRITE}),
    Permission.WRITE: frozenset({Scope.WRITE}),
    Permission.REPORT: frozenset({Scope.INBOUND}),
    Permission.ANSWER: frozenset({Scope.WRITE}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What the credentials say: a person, or (with `key_id`) a machine of one company.

    `session_id`: it was a browser's cookie.
    """

    user_id: UUID | None = None
    company_id: UUID | None = None
    key_id: UUID | None = None
    session_id: UUID | None = None

    @property
    def actor(self) -> str:
        """As the audit log names them."""
        return f"key:{self.key_id}" if self.user_id is None else f"user:{self.user_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody inside one company: `role` for a person, `scopes` for a machine."""

    company_id: UUID
    user_id: UUID | None = None
    role: Role | None = None
    scopes: frozenset[str] = frozenset()

    def may(self, permission: Permission) -> bool:
        if self.role is not None:
            return self.role in ROLES[permission]
        return bool(self.scopes & SCOPES.get(permission, frozenset()))

    def must(self, permission: Permission) -> None:
        """Raises NotAllowed, saying what would be enough."""
        if self.may(permission):
            return
        roles = " or ".join(sorted(ROLES[permission]))
        scopes = " or ".join(sorted(SCOPES.get(permission, ())))
        keys = f", or an API key with the scope {scopes}" if scopes else ", which no API key has"
        raise NotAllowed(f"To {permission} you need the role {roles}{keys}")

    @property
    def person(self) -> UUID:
        """Raises NotAllowed for a machine."""
        if self.user_id is None:
            raise NotAllowed("Only a person can do this, not an API key")
        return self.user_id
