"""Each documented error of Unipile: what becomes of the action, the recipient and the account.

And what a person reads: on the action, in the plan's label, or on the account.
"""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from shared.db.models import ActionStatus
from shared.db.models.accounts import AccountStatus
from shared.domain.branches import StepOutcome
from shared.domain.channels import Channel
from shared.domain.recipient import EndReason, Finished, HoldReason, Outcome, Parked, Planned
from shared.errors import Unavailable
from tests.networking import Network

GOES_ON, LATER, LOOKS = "goes on", "later", "looks first"
PARKED, REFUSED, RETRIED = "parked", "refused", "retried"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    status: int
    kind: str
    recipient: str
    action: ActionStatus
    reads: str
    days: int = 0


def _row(status: int, kind: str, recipient: str, reads: str, **more: int) -> Row:
    action = {GOES_ON: ActionStatus.SKIPPED, REFUSED: ActionStatus.REFUSED}
    return Row(
        status=status,
        kind=kind,
        recipient=recipient,
        action=action.get(recipient, ActionStatus.RESERVED),
        reads=reads,
        **more,
    )


# What both have in common.
ACCOUNT = (
    _row(401, "disconnected_account", PARKED, "ended the session: connect the account again"),
    _row(401, "expired_credentials", PARKED, "login has expired: connect the account again"),
    _row(401, "invalid_credentials", PARKED, "does not take the login: connect"),
    _row(401, "checkpoint_error", PARKED, "wants to be sure who it is: connect"),
    _row(401, "multiple_sessions", PARKED, "allows one session and has another one"),
    _row(401, "wrong_account", PARKED, "another member: connect the account again"),
    _row(403, "account_restricted", PARKED, "restricted this account: log in there"),
    _row(401, "missing_credentials", PARKED, "API key: set DRUMBEAT_UNIPILE_API_KEY"),
    _row(403, "insufficient_permissions", PARKED, "API key may not do this"),
    _row(422, "limit_exceeded", LATER, "the provider asked to wait", days=1),
    _row(429, "too_many_requests", LATER, "the provider asked to wait", days=1),
    _row(422, "invalid_recipient", GOES_ON, "knows no such member"),
    _row(422, "user_unreachable", GOES_ON, "lets nobody reach this member"),
    _row(422, "blocked_recipient", REFUSED, "has blocked the account"),
    _row(422, "invalid_message", REFUSED, "does not take this text"),
    _row(500, "provider_error", LOOKS, "is looked up"),
    _row(500, "unexpected_error", LOOKS, "is looked up"),
    _row(503, "service_unavailable", LOOKS, "is looked up"),
    _row(504, "request_timeout", LOOKS, "is looked up"),
    _row(503, "network_down", RETRIED, "cannot reach LinkedIn"),
    _row(503, "no_client_session", RETRIED, "no session"),
)
INVITATION = (
    *ACCOUNT,
    _row(422, "already_connected", GOES_ON, "They are connected already"),
    _row(422, "already_invited_recently", GOES_ON, "have an invitation of this account already"),
    _row(422, "cannot_resend_yet", LATER, "invite nobody for a day", days=1),
    _row(422, "connection_limit_reached", LATER, "as many as LinkedIn allows a week", days=7),
    _row(422, "cannot_invite_attendee", GOES_ON, "cannot be invited"),
)
MESSAGE = (
    *ACCOUNT,
    _row(422, "no_connection_with_recipient", GOES_ON, "They are not connected"),
    _row(422, "not_allowed_inmail", GOES_ON, "may send this member no InMail"),
    _row(422, "insufficient_credits", GOES_ON, "no InMail credits left"),
    _row(400, "too_many_characters", GOES_ON, "may not write as many characters"),
)


def _ids(rows: tuple[Row, ...]) -> list[str]:
    return [f"{row.kind} -> {row.recipient}" for row in rows]


@pytest.mark.parametrize("row", INVITATION, ids=_ids(INVITATION))
async def test_what_an_error_does_to_an_invitation(network: Network, row: Row) -> None:
    await _meets(network, row, Channel.LINKEDIN_CONNECTION, on="sendInvitation")


@pytest.mark.parametrize("row", MESSAGE, ids=_ids(MESSAGE))
async def test_what_an_error_does_to_a_message(network: Network, row: Row) -> None:
    network.unipile.world.members.add("ada")
    network.unipile.world.connect(network.me.id, "ada")
    await _meets(network, row, Channel.LINKEDIN_MESSAGE, on="startNewChat")


async def _meets(network: Network, row: Row, channel: Channel, *, on: str) -> None:
    order = await network.begin((channel, Channel.EMAIL))
    network.unipile.fail(row.status, row.kind, on=on)
    outcome: Outcome | None = None
    said = ""
    if row.recipient == RETRIED:
        with pytest.raises(Unavailable) as outage:
            await network.act(order)
        said = str(outage.value)
    else:
        outcome = await network.act(order)
    action, account = await network.action(order), await network.account()

    assert action.status is row.action
    is_down = row.recipient == PARKED
    assert account.status is (AccountStatus.NEEDS_ATTENTION if is_down else AccountStatus.ACTIVE)
    # Only what may have been done keeps its mark.
    assert (action.draft_id is not None) is (row.recipient == LOOKS)
    match row.recipient:
        case "goes on":
            assert isinstance(outcome, Planned)
            assert outcome.step_id != order.step_id
            said = action.refusal or ""
        case "refused":
            assert outcome == Finished(reason=EndReason.REFUSED)
            said = action.refusal or ""
        case "parked":
            assert outcome == Parked(reason=HoldReason.ACCOUNT_DOWN)
            said = account.status_reason or ""
        case "later":
            assert isinstance(outcome, Planned)
            assert (outcome.step_id, outcome.at) == (
                order.step_id,
                network.clock.at + timedelta(days=row.days),
            )
            said = outcome.label
        case "looks first":
            assert isinstance(outcome, Planned)
            assert outcome.step_id == order.step_id
            said = outcome.label
    assert row.reads in said


@pytest.mark.parametrize("kind", ["cannot_resend_yet", "connection_limit_reached"])
async def test_a_limit_of_invitations_holds_the_others_and_no_message(
    network: Network, kind: str
) -> None:
    first, second = await network.begin(), await network.begin(public_id="bob")
    third = await network.begin((Channel.LINKEDIN_MESSAGE,), public_id="cleo")
    network.unipile.world.connect(network.me.id, "cleo")
    network.unipile.fail(422, kind, on="sendInvitation")

    held = await network.act(first)
    also_held = await network.act(second)
    written = await network.act(third)

    assert isinstance(held, Planned)
    assert isinstance(also_held, Planned)
    assert also_held.at == held.at == (await network.details()).invitations_held_until
    assert isinstance(written, Finished)
    assert len(network.unipile.world.written) == 1
    assert network.unipile.requests["sendInvitation"] == 1
    network.clock.at = held.at
    await network.act(first)
    await network.act(second)
    assert len(network.unipile.world.invited) == 2


async def test_a_limit_that_names_its_end_holds_the_account_until_then(network: Network) -> None:
    order = await network.begin()
    network.unipile.fail(429, "too_many_requests", on="sendInvitation", retry_after=7_200)

    outcome = await network.act(order)

    assert isinstance(outcome, Planned)
    assert outcome.at == network.clock.at + timedelta(hours=2)
    assert (await network.account()).blocked_until == outcome.at


async def test_an_account_that_works_again_goes_on_where_it_was(network: Network) -> None:
    order = await network.begin()
    network.unipile.fail(401, "expired_credentials", on="sendInvitation")
    await network.act(order)
    await network.set_account(status=AccountStatus.ACTIVE, status_reason=None)

    await network.act(order)

    action = await network.action(order)
    assert action.status is ActionStatus.SENT
    assert len(network.unipile.world.invited) == 1


async def test_a_look_up_that_is_refused_settles_nothing(network: Network) -> None:
    order = await network.begin()
    network.unipile.lose_answer(on="sendInvitation")
    network.unipile.fail(422, "unprocessable_entity", on="listSentInvitations")

    await network.act(order)

    assert (await network.action(order)).status is ActionStatus.UNCONFIRMED


async def test_a_member_who_is_gone_has_failed_as_a_step_and_not_as_a_recipient(
    network: Network,
) -> None:
    order = await network.begin((Channel.LINKEDIN_CONNECTION, Channel.EMAIL))
    network.unipile.world.members.clear()

    outcome = await network.act(order)

    action = await network.action(order)
    assert set(action.outcomes) == {StepOutcome.FAILED}
    assert isinstance(outcome, Planned)
