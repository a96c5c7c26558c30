"""What DNS says about a domain that sends mail: MX, SPF, DKIM and DMARC.

Sources: RFC 5321, RFC 7208, RFC 6376, RFC 7489, and what Google and Yahoo ask of senders.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import dns.asyncresolver
import dns.exception
import dns.resolver

LOOK_UP_SECONDS = 5
# Under which large senders sign, beside those of the mailbox's own provider.
USUAL_SELECTORS = ("google", "selector1", "selector2", "default", "k1", "s1", "mail", "dkim")
_ASK_AGAIN = "DNS did not answer: ask again later."


class DnsUnanswered(Exception):
    """Nobody can say what is there."""


class Resolver(Protocol):
    """Records as text; none when there is no such name. Raises DnsUnanswered."""

    async def records(self, name: str, kind: str) -> Sequence[str]: ...


class DnsResolver:
    """The name servers of this machine."""

    async def records(self, name: str, kind: str) -> Sequence[str]:
        try:
            answer = await dns.asyncresolver.resolve(name, kind, lifetime=LOOK_UP_SECONDS)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError, ValueError) as error:
            raise DnsUnanswered(name) from error
        if kind == "TXT":
            # A long record is cut into strings, which belong together without a space.
            return [b"".join(record.strings).decode("ascii", "replace") for record in answer]
        return [record.to_text() for record in answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`is_ok` None: nobody knows. `found`: the records. `remedy`: what to do when it is not ok."""

    is_ok: bool | None
    found: tuple[str, ...] = ()
    remedy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainFindings:
    mx: Finding
    spf: Finding
    dkim: Finding
    dmarc: Finding


async def look_at_domain(
    resolver: Resolver, domain: str, *, selectors: Sequence[str] = ()
) -> DomainFindings:
    """All four at once. `selectors`: of the domain's mail provider."""
    asked = tuple(dict.fromkeys((*selectors, *USUAL_SELECTORS)))
    mx, spf, dkim, dmarc = await asyncio.gather(
        _mx(resolver, domain),
        _spf(resolver, domain),
        _dkim(resolver, domain, asked),
        _dmarc(resolver, domain),
    )
    return DomainFindings(mx=mx, spf=spf, dkim=dkim, dmarc=dmarc)


async def _mx(resolver: Resolver, domain: str) -> Finding:
    try:
        found = await resolver.records(domain, "MX")
    except DnsUnanswered:
        return Finding(is_ok=None, remedy=_ASK_AGAIN)
    # RFC 7505: a single dot takes no mail at all.
    hosts = tuple(sorted(record for record in found if record.split()[-1] != "."))
    if hosts:
        return Finding(is_ok=True, found=hosts)
    return Finding(
        is_ok=False, remedy=f"{domain} takes no mail, so no answer arrives: set an MX record."
    )


async def _spf(resolver: Resolver, domain: str) -> Finding:
    try:
        texts = await resolver.records(domain, "TXT")
    except DnsUnanswered:
        return Finding(is_ok=None, remedy=_ASK_AGAIN)
    found = tuple(text for text in texts if re.match(r"v=spf1( |$)", text, re.IGNORECASE))
    remedy = None
    if not found:
        remedy = f"Add a TXT record to {domain} that names who may send, as your provider shows it."
    elif len(found) > 1:
        remedy = f"{domain} has several SPF records, which counts as an error: make them one."
    elif re.search(r"(^| )\+?all\b", found[0]):
        remedy = "It lets everybody send in your name: end it with ~all or -all."
    return Finding(is_ok=remedy is None, found=found, remedy=remedy)


async def _dkim(resolver: Resolver, domain: str, selectors: Sequence[str]) -> Finding:
    names = [f"{selector}._domainkey.{domain}" for selector in selectors]
    answers = await asyncio.gather(
        *(resolver.records(name, "TXT") for name in names), return_exceptions=True
    )
    found, is_known = [], True
    for name, answer in zip(names, answers, strict=True):
        if isinstance(answer, DnsUnanswered):
            is_known = False
        elif isinstance(answer, BaseException):
            raise answer
        elif any(re.search(r"(^|;)\s*p=\s*\S", text) for text in answer):
            found.append(name)
    if found:
        return Finding(is_ok=True, found=tuple(found))
    if not is_known:
        return Finding(is_ok=None, remedy=_ASK_AGAIN)
    return Finding(
        is_ok=False,
        remedy=f"No key is published under the usual names of {domain}: switch on DKIM at your"
        " mail provider. (A key under a name of your own is not found here.)",
    )


async def _dmarc(resolver: Resolver, domain: str) -> Finding:
    """Of the domain itself, else of the one above it (RFC 7489 section 6.6.3)."""
    parts = domain.split(".")
    parents = [domain] if len(parts) < 3 else [domain, ".".join(parts[1:])]
    try:
        for parent in parents:
            texts = await resolver.records(f"_dmarc.{parent}", "TXT")
            found = tuple(text for text in texts if text.upper().startswith("V=DMARC1"))
            if found:
                return _dmarc_finding(found)
    except DnsUnanswered:
        return Finding(is_ok=None, remedy=_ASK_AGAIN)
    return Finding(
        is_ok=False, remedy=f"Add a TXT record to _dmarc.{domain}, to begin with: v=DMARC1; p=none"
    )


def _dmarc_finding(found: tuple[str, ...]) -> Finding:
    is_one = len(found) == 1
    has_policy = re.search(r";\s*p\s*=\s*(none|quarantine|reject)\b", found[0], re.IGNORECASE)
    if is_one and has_policy:
        return Finding(is_ok=True, found=found)
    remedy = "Name a policy in it, such as p=none." if is_one else "Leave one of these records."
    return Finding(is_ok=False, found=found, remedy=remedy)
