"""Wires what connects accounts of LinkedIn, and what hears of them."""

from dataclasses import dataclass

from api.conducting import Conducting
from api.parts import Parts
from api.services.inbound import InboundService
from api.services.linkedin_accounts import LinkedInAccountService
from api.services.linkedin_news import LinkedInNewsService


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedInServices:
    accounts: LinkedInAccountService
    news: LinkedInNewsService


def make_linkedin(
    parts: Parts, conducting: Conducting, inbound: InboundService
) -> LinkedInServices:
    return LinkedInServices(
        accounts=LinkedInAccountService(
            database=parts.database,
            keyring=parts.keyring,
            conducting=conducting,
            unipile=parts.unipile,
            secret=parts.unipile_secret,
            places=parts.places,
        ),
        news=LinkedInNewsService(
            database=parts.database,
            conducting=conducting,
            inbound=inbound,
            secret=parts.unipile_secret,
        ),
    )
