"""Opens and clicks, and who is behind one: a person, or a machine that looks at mail."""

import re
from dataclasses import dataclass
from enum import StrEnum


class TrackingKind(StrEnum):
    OPEN = "open"
    CLICK = "click"


class Visitor(StrEnum):
    """All but `person` are machines.

    `image_proxy`: a mailbox provider fetches the picture, mostly because somebody has opened the
    mail. `prefetch`: fetched in advance, read or not. `scanner`: something looked for bad links.
    """

    PERSON = "person"
    IMAGE_PROXY = "image_proxy"
    PREFETCH = "prefetch"
    SCANNER = "scanner"


# Nobody has read a mail by then, but gateways in front of mailboxes have.
QUICK_SECONDS = 10
_PREFETCH = re.compile(r"prefetch|prerender|preview", re.IGNORECASE)
# Apple's Mail Privacy Protection names nothing but this.
_APPLE_PRIVACY = "Mozilla/5.0"
_PROXIES = re.compile(
    r"GoogleImageProxy|ggpht\.com|YahooMailProxy|YandexImageResizer", re.IGNORECASE
)
_SCANNERS = re.compile(
    r"bot\b|bot/|crawl|spider|scan|preview|headless|phantomjs|externalhit|curl/|wget|python"
    r"|aiohttp|httpx|go-http-client|java/|libwww|httpclient|node-fetch|axios|urllib|ruby|perl"
    r"|powershell|barracuda|proofpoint|mimecast|fireeye|trendmicro|symantec|forcepoint|ironport"
    r"|safelinks|virustotal|whatsapp|telegram",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One request for a link of ours. `purpose`: Sec-Purpose and the headers before it.

    `seconds_since_sent` None: the mail is not known to have left yet.
    """

    user_agent: str
    purpose: str = ""
    is_head: bool = False
    seconds_since_sent: float | None = None


def visitor_of(hit: Hit) -> Visitor:
    """Whoever says what it is, is believed; a hit that is too quick is nobody's."""
    if _PREFETCH.search(hit.purpose) or hit.user_agent.strip() == _APPLE_PRIVACY:
        return Visitor.PREFETCH
    if _PROXIES.search(hit.user_agent):
        return Visitor.IMAGE_PROXY
    if hit.is_head or not hit.user_agent.strip() or _SCANNERS.search(hit.user_agent):
        return Visitor.SCANNER
    if hit.seconds_since_sent is None or hit.seconds_since_sent < QUICK_SECONDS:
        return Visitor.SCANNER
    return Visitor.PERSON
