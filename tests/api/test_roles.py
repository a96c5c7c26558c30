"""Every operation for every role: what the contract allows, and nothing else."""

from typing import Any
from uuid import uuid4

import pytest

from api.main import openapi_document
from shared.db.models import Role
from tests.api.conftest import Login
from tests.factories import Company

ADMIN, DIRECTOR, MEMBER = Role.ADMIN, Role.DIRECTOR, Role.MEMBER
EVERYBODY = {ADMIN, DIRECTOR, MEMBER}
WRITERS = {ADMIN, DIRECTOR}
ADMINS = {ADMIN}
# Whatever is not named here: reading is for everybody, writing for admins and directors.
ALLOWED: dict[str, set[Role]] = {
    "list_members": ADMINS,
    "invite_member": ADMINS,
    "get_member": ADMINS,
    "update_member": ADMINS,
    "list_api_keys": ADMINS,
    "create_api_key": ADMINS,
    "delete_api_key": ADMINS,
    "list_audit": ADMINS,
    # Everybody connects their own mailbox and works what comes back.
    "connect_gmail": EVERYBODY,
    "connect_smtp": EVERYBODY,
    "connect_linkedin": EVERYBODY,
    "connect_bland": EVERYBODY,
    "resume_account": EVERYBODY,
    "update_account": EVERYBODY,
    "disconnect_account": EVERYBODY,
    # These only show what would be sent.
    "render_template": EVERYBODY,
    "preview_campaign": EVERYBODY,
    "rehearse_campaign": EVERYBODY,
    "mark_recipient_responded": EVERYBODY,
    # To-dos are everybody's work.
    "create_todo": EVERYBODY,
    "update_todo": EVERYBODY,
    "finish_todo": EVERYBODY,
    "skip_todo": EVERYBODY,
    "fail_todo": EVERYBODY,
    "connect_calendar": EVERYBODY,
    "create_appointment": EVERYBODY,
    "report_inbound": EVERYBODY,
    # Whoever is told "never again" notes it; the whole list leaves with few.
    "add_suppression": EVERYBODY,
    "export_suppressions": WRITERS,
}
# Nobody's company is concerned, or everybody finds their own row only (tests of their own).
OF_PERSONS = {
    "register",
    "login",
    "accept_invitation",
    "refresh",
    "logout",
    "get_me",
    "switch_company",
    "create_company",
    "remove_member",
    "begin_connecting",
    "finish_connecting",
    # Google itself.
    "receive_gmail_push",
    # Bland itself.
    "receive_bland_news",
    # Unipile itself.
    "receive_unipile_news",
    # Its answer does not end; tests/api/test_events.py is about it.
    "stream_events",
}
OPERATIONS = [
    (method, path, operation["operationId"])
    for path, operations in openapi_document()["paths"].items()
    for method, operation in operations.items()
    if operation.get("security") and operation["operationId"] not in OF_PERSONS
]


def allowed(method: str, name: str) -> set[Role]:
    return ALLOWED.get(name, EVERYBODY if method == "get" else WRITERS)


@pytest.mark.parametrize(
    ("method", "path", "name"), OPERATIONS, ids=[name for *_, name in OPERATIONS]
)
async def test_a_role_may_do_what_the_contract_says(
    login: Login, company: Company, method: str, path: str, name: str
) -> None:
    url = path.format_map(Ids(company))
    found = set()
    for role in Role:
        client = await login(company, role)
        async with client.stream(method, url) as answer:
            assert answer.status_code != 401
            if answer.status_code != 403:
                found.add(role)

    assert found == allowed(method, name)


class Ids(dict[str, Any]):
    """The own company, and ids that nothing has: who may ask at all gets a 404 or a 422."""

    def __init__(self, company: Company) -> None:
        super().__init__(company_id=company.id, step_number=1)

    def __missing__(self, key: str) -> str:
        return str(uuid4())


def test_the_table_names_operations_that_there_are() -> None:
    known = {
        operation["operationId"]
        for operations in openapi_document()["paths"].values()
        for operation in operations.values()
    }
    assert ALLOWED.keys() | OF_PERSONS <= known
