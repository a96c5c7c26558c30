"""The providers of one company, each with books of its own that the audit reads."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from uuid import uuid4

from deploy.sandbox.bland import FakeBland
from deploy.sandbox.contract import SPECS, Contract
from deploy.sandbox.faulty_gmail import FakeGmail
from deploy.sandbox.faulty_mailbox import Mailbox
from deploy.sandbox.linkedin_world import SandboxAccount
from deploy.sandbox.mail_servers import Postbox
from deploy.sandbox.unipile import FakeUnipile

# Lists show what was done this much later, which is less than attempts are careful for.
LAG = timedelta(seconds=50)


@dataclass(frozen=True, slots=True, kw_only=True)
class Providers:
    """`me`: the company's account at LinkedIn."""

    gmail: FakeGmail
    postbox: Postbox
    bland: FakeBland
    unipile: FakeUnipile
    me: SandboxAccount


def make_providers(clock: Callable[[], datetime], *, keeps_sent: bool = True) -> Providers:
    """All on one clock. `keeps_sent`: the mail server has a folder of what was sent."""
    bland = FakeBland(clock=clock, contract=_contract("bland"))
    bland.board.lag = LAG
    unipile = FakeUnipile(clock=clock, contract=_contract("unipile"))
    unipile.answers.lag = LAG
    return Providers(
        gmail=FakeGmail(clock=clock),
        postbox=Postbox(box=Mailbox(clock), keeps_sent=keeps_sent),
        bland=bland,
        unipile=unipile,
        me=unipile.world.add_account(f"sam-{uuid4()}"),
    )


@cache
def _contract(name: str) -> Contract:
    """Read once: a spec takes a third of a second."""
    return Contract(SPECS / f"{name}.openapi.yaml")
