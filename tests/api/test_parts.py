"""The small parts of the gateway, each by itself."""

from datetime import timedelta
from uuid import uuid4

import pytest
from uuid_utils.compat import uuid7

from api.callers import Caller, Permission, Scope
from api.errors import TooManyAttempts
from api.rate_limit import AttemptLimit
from api.schemas.paging import make_cursor, read_cursor
from api.tokens import AccessTokens
from shared.db.models import Role
from shared.errors import NotAllowed, NotAuthenticated
from shared.keyring import Keyring


def test_attempts_come_back_with_time() -> None:
    now = 0.0
    limit = AttemptLimit(most=2, per=timedelta(seconds=10), clock=lambda: now)
    limit.take("ada")
    now = 4
    limit.take("ada")

    with pytest.raises(TooManyAttempts) as refused:
        limit.take("ada")
    limit.take("eve")
    now = 10
    limit.take("ada")

    assert refused.value.retry_after == timedelta(seconds=6)


def test_a_good_attempt_does_not_count() -> None:
    limit = AttemptLimit(most=1, per=timedelta(seconds=10))

    for _ in range(3):
        limit.take("ada")
        limit.give_back("ada")


def test_a_cursor_brings_back_its_id() -> None:
    last_id = uuid7()

    assert read_cursor(make_cursor(last_id)) == last_id


@pytest.mark.parametrize(
    ("role", "may_not"),
    [
        (Role.ADMIN, set()),
        (Role.DIRECTOR, {Permission.ADMINISTER}),
        (Role.MEMBER, {Permission.ADMINISTER, Permission.WRITE}),
    ],
)
def test_a_role_may(role: Role, may_not: set[Permission]) -> None:
    person = Caller(company_id=uuid4(), user_id=uuid4(), role=role)

    assert {permission for permission in Permission if not person.may(permission)} == may_not


@pytest.mark.parametrize(
    ("scope", "may"),
    [
        (Scope.READ, {Permission.READ}),
        (Scope.WRITE, {Permission.READ, Permission.WRITE, Permission.ANSWER}),
        (Scope.INBOUND, {Permission.REPORT}),
    ],
)
def test_a_scope_may(scope: Scope, may: set[Permission]) -> None:
    machine = Caller(company_id=uuid4(), scopes=frozenset({scope}))

    assert {permission for permission in Permission if machine.may(permission)} == may
    with pytest.raises(NotAllowed, match="role admin"):
        machine.must(Permission.ADMINISTER)


def test_a_token_of_another_installation_is_not_ours(keyring: Keyring) -> None:
    other = Keyring(secret_key="o" * 32, encryption_keys="k1:" + "A" * 43 + "=")
    user_id, company_id = uuid4(), uuid4()
    token = AccessTokens(keyring).issue(user_id, company_id)

    identity = AccessTokens(keyring).read(token)

    assert (identity.user_id, identity.company_id) == (user_id, company_id)
    with pytest.raises(NotAuthenticated):
        AccessTokens(other).read(token)
