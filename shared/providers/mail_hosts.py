"""Where mailboxes live: the servers of well-known providers, and what a connection must be like.

Hosts and ports are those of the providers' own help pages. A provider is found by its name, or by
the domain of an address.
"""

import ipaddress
from dataclasses import dataclass, field
from enum import StrEnum


class Security(StrEnum):
    """`tls`: encrypted from the first byte (RFC 8314). `none`: to this machine only."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


SMTP_PORTS = {Security.TLS: 465, Security.STARTTLS: 587, Security.NONE: 25}
IMAP_PORTS = {Security.TLS: 993, Security.STARTTLS: 143, Security.NONE: 143}
# What may be asked for on other people's machines: a mail server, and nothing else.
MAIL_PORTS = frozenset({25, 26, 143, 465, 587, 993, 2465, 2525, 2587})


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    host: str
    port: int
    security: Security = Security.TLS


@dataclass(frozen=True, slots=True, kw_only=True)
class MailLogin:
    """A server with the name and the password that open it."""

    server: Server
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailHost:
    """`domains`: of addresses that can only be there. `selectors`: under which it signs (DKIM).

    `hint`: what people have to do there before a password works.
    """

    smtp: Server
    imap: Server
    domains: tuple[str, ...] = ()
    selectors: tuple[str, ...] = ()
    hint: str | None = None


_APP_PASSWORD = "make an app password in the account's security settings and use that"  # noqa: S105 - advice


def _host(smtp: str, imap: str, *, submits: Security = Security.TLS, **more: object) -> MailHost:
    return MailHost(
        smtp=Server(host=smtp, port=SMTP_PORTS[submits], security=submits),
        imap=Server(host=imap, port=993),
        **more,  # type: ignore[arg-type]  # the fields of MailHost, named at each call below
    )


_LATE = Security.STARTTLS
_ICLOUD = ("icloud.com", "me.com", "mac.com")
_MICROSOFT = ("selector1", "selector2")
HOSTS: dict[str, MailHost] = {
    "gmail": _host(
        "smtp.gmail.com",
        "imap.gmail.com",
        domains=("gmail.com", "googlemail.com"),
        selectors=("google", "20230601"),
        hint=_APP_PASSWORD,
    ),
    "outlook": _host(
        "smtp-mail.outlook.com",
        "outlook.office365.com",
        submits=_LATE,
        domains=("outlook.com", "hotmail.com", "live.com", "msn.com"),
        selectors=_MICROSOFT,
        hint=_APP_PASSWORD,
    ),
    "office365": _host(
        "smtp.office365.com",
        "outlook.office365.com",
        submits=_LATE,
        selectors=_MICROSOFT,
        hint="have the administrator allow authenticated SMTP and IMAP for this mailbox",
    ),
    "yahoo": _host(
        "smtp.mail.yahoo.com",
        "imap.mail.yahoo.com",
        domains=("yahoo.com", "ymail.com"),
        selectors=("s1024", "s2048"),
        hint=_APP_PASSWORD,
    ),
    "aol": _host("smtp.aol.com", "imap.aol.com", domains=("aol.com",), hint=_APP_PASSWORD),
    "icloud": _host(
        "smtp.mail.me.com",
        "imap.mail.me.com",
        submits=_LATE,
        domains=_ICLOUD,
        selectors=("sig1",),
        hint=_APP_PASSWORD,
    ),
    "fastmail": _host(
        "smtp.fastmail.com",
        "imap.fastmail.com",
        domains=("fastmail.com", "fastmail.fm"),
        selectors=("fm1", "fm2", "fm3"),
        hint=_APP_PASSWORD,
    ),
    "zoho": _host(
        "smtp.zoho.com",
        "imap.zoho.com",
        domains=("zoho.com", "zohomail.com"),
        selectors=("zoho", "zmail"),
        hint=_APP_PASSWORD,
    ),
    "zoho_eu": _host(
        "smtp.zoho.eu", "imap.zoho.eu", domains=("zohomail.eu",), selectors=("zoho", "zmail")
    ),
    "gmx": _host(
        "mail.gmx.net",
        "imap.gmx.net",
        domains=("gmx.de", "gmx.net", "gmx.at", "gmx.ch"),
        hint="allow POP3 and IMAP in the mailbox's settings",
    ),
    "web_de": _host(
        "smtp.web.de",
        "imap.web.de",
        submits=_LATE,
        domains=("web.de",),
        hint="allow POP3 and IMAP in the mailbox's settings",
    ),
    "mailbox_org": _host("smtp.mailbox.org", "imap.mailbox.org", domains=("mailbox.org",)),
    "posteo": _host("posteo.de", "posteo.de", domains=("posteo.de", "posteo.net")),
    "ionos": _host("smtp.ionos.com", "imap.ionos.com", selectors=("s1-ionos", "s2-ionos")),
    "strato": _host("smtp.strato.de", "imap.strato.de", selectors=("strato-dkim-0002",)),
    "ovh": _host("ssl0.ovh.net", "ssl0.ovh.net"),
    "gandi": _host("mail.gandi.net", "mail.gandi.net", selectors=("gm1", "gm2", "gm3")),
    "namecheap": _host("mail.privateemail.com", "mail.privateemail.com"),
    "hostinger": _host("smtp.hostinger.com", "imap.hostinger.com", selectors=("hostingermail1",)),
    "migadu": _host("smtp.migadu.com", "imap.migadu.com", selectors=("key1", "key2", "key3")),
    "yandex": _host(
        "smtp.yandex.com", "imap.yandex.com", domains=("yandex.com",), hint=_APP_PASSWORD
    ),
}


def find_host(*, account_type: str | None, email: str) -> MailHost | None:
    """The provider of that name, or the one whose addresses end like this one."""
    if account_type is not None:
        return HOSTS.get(account_type)
    domain = email.rpartition("@")[2].lower()
    return next((host for host in HOSTS.values() if domain in host.domains), None)


def is_loopback(host: str) -> bool:
    """Whether a connection to it never leaves this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_open(server: Server) -> bool:
    """Whether a password would cross a network for everybody to read."""
    return server.security is Security.NONE and not is_loopback(server.host)
