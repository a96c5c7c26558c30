"""Which addresses are of one company, by what stands behind the @."""

# Where everybody may have an address, so that it says nothing about who works with whom.
_EVERYBODYS = frozenset(
    [
        "gmail.com",
        "googlemail.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "msn.com",
        "yahoo.com",
        "ymail.com",
        "icloud.com",
        "me.com",
        "mac.com",
        "aol.com",
        "proton.me",
        "protonmail.com",
        "pm.me",
        "gmx.com",
        "gmx.de",
        "gmx.net",
        "gmx.at",
        "gmx.ch",
        "web.de",
        "t-online.de",
        "freenet.de",
        "mail.com",
        "mail.ru",
        "yandex.ru",
        "yandex.com",
        "zoho.com",
        "fastmail.com",
        "orange.fr",
        "free.fr",
        "laposte.net",
        "wanadoo.fr",
        "sfr.fr",
        "libero.it",
        "virgilio.it",
        "hotmail.fr",
        "hotmail.de",
        "hotmail.it",
        "hotmail.es",
        "hotmail.co.uk",
        "yahoo.de",
        "yahoo.fr",
        "yahoo.it",
        "yahoo.es",
        "yahoo.co.uk",
        "outlook.de",
        "outlook.fr",
        "bluewin.ch",
        "ziggo.nl",
        "kpnmail.nl",
        "qq.com",
        "163.com",
    ]
)


def company_domain(email: str | None) -> str | None:
    """None: no address, or one that anybody could have."""
    domain = (email or "").rpartition("@")[2].lower()
    return domain if domain and domain not in _EVERYBODYS else None
