"""Where the gateway is found, and where people may be sent back to."""

from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from shared.errors import Invalid

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """`public_url` without a slash at its end; `origins`: frontends that may call us."""

    public_url: str
    origins: tuple[str, ...] = ()

    @property
    def callback_url(self) -> str:
        return f"{self.public_url}/email/callback/"

    def connect_url(self, ticket: str) -> str:
        return f"{self.public_url}/email/connect/?ticket={ticket}"

    def way_back(self, return_to: str) -> str:
        """The absolute address. Raises Invalid for a place that is neither ours nor a frontend's.

        An open redirect would lend our name to whoever writes a link.
        """
        try:
            url = urljoin(f"{self.public_url}/", return_to)
            known = {_origin(urlsplit(place)) for place in (self.public_url, *self.origins)}
            is_known = "\\" not in url and _origin(urlsplit(url)) in known
        except ValueError:
            is_known = False
        if not is_known:
            raise Invalid(
                "Use an address of this gateway or of a frontend in DRUMBEAT_CORS_ORIGINS",
                field="return_to",
            )
        return url


def _origin(url: SplitResult) -> tuple[str, str, int]:
    """RFC 6454. Raises ValueError for what a browser does not open."""
    if url.scheme not in _PORTS or not url.hostname or url.username is not None:
        raise ValueError(url.scheme)
    return url.scheme, url.hostname, url.port or _PORTS[url.scheme]
