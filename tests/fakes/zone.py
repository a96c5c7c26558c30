"""What DNS answers, read from the text of a zone as name servers take it (RFC 1035)."""

from collections.abc import Sequence

import dns.name
import dns.rdatatype
import dns.zone

from api.mail_dns import DnsUnanswered

GOOD = """
acme.test. 60 IN MX 10 mx2.acme.test.
acme.test. 60 IN MX 5 mx1.acme.test.
acme.test. 60 IN TXT "site-verification=1"
acme.test. 60 IN TXT "v=spf1 include:_spf.google.com " "~all"
google._domainkey.acme.test. 60 IN TXT "v=DKIM1; k=rsa; p=MIGf"
_dmarc.acme.test. 60 IN TXT "v=DMARC1; p=quarantine; rua=mailto:dmarc@acme.test"
"""


class FakeZone:
    """Everything below the root. `is_down`: no name server answers."""

    def __init__(self, text: str = "") -> None:
        self.is_down = False
        self.load(text)

    def load(self, text: str) -> None:
        self._zone = dns.zone.from_text(text, origin=".", relativize=False, check_origin=False)

    async def records(self, name: str, kind: str) -> Sequence[str]:
        if self.is_down:
            raise DnsUnanswered(name)
        found = self._zone.get_rdataset(dns.name.from_text(name), dns.rdatatype.from_text(kind))
        if found is None:
            return []
        if kind == "TXT":
            return [b"".join(record.strings).decode() for record in found]
        return [record.to_text() for record in found]
