"""Wires what connects phone lines, what hears of their calls, and what shows them."""

from dataclasses import dataclass

import httpx

from api.conducting import Conducting
from api.parts import Parts
from api.services.calls import CallService
from api.services.inbound import InboundService
from api.services.phone_lines import BlandDoor, PhoneLineService
from shared.providers.bland import BlandClient


@dataclass(frozen=True, slots=True, kw_only=True)
class CallServices:
    lines: PhoneLineService
    log: CallService


def make_calls(parts: Parts, conducting: Conducting, inbound: InboundService) -> CallServices:
    return CallServices(
        lines=PhoneLineService(
            database=parts.database,
            keyring=parts.keyring,
            conducting=conducting,
            inbound=inbound,
            bland=parts.bland,
        ),
        log=CallService(database=parts.database),
    )


def bland_door(http: httpx.AsyncClient, endpoint: str, secret: str) -> BlandDoor:
    """`secret`: empty where none is set."""
    return BlandDoor(
        open=lambda key: BlandClient(http, endpoint=endpoint, api_key=key), secret=secret or None
    )
