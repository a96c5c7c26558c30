"""What the gateway's services are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from api.mail_dns import DnsResolver, Resolver
from api.openid import OpenIdProvider
from api.passwords import Passwords
from api.places import Places
from api.push_tokens import PushTokens
from api.services.accounts import SettingsOf
from api.services.phone_lines import BlandDoor
from api.services.readiness import Probe
from shared.calendars import Hosts
from shared.conductor import Conductor
from shared.db.session import Database
from shared.keyring import Keyring
from shared.providers.google_oauth import GoogleOAuth
from shared.providers.unipile import UnipileClient
from shared.storage import Storage
from shared.webhooks import Destinations


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the services are made of; tests bring their own."""

    database: Database
    keyring: Keyring
    conductor: Conductor
    google: GoogleOAuth | None
    places: Places
    passwords: Passwords
    storage: Storage
    destinations: Destinations
    probes: Mapping[str, Probe]
    largest_upload_mb: int = 1_000
    openid: OpenIdProvider | None = None
    push_tokens: PushTokens | None = None
    settings_of: SettingsOf | None = None
    calendar_hosts: Hosts = field(default_factory=dict)
    unipile: UnipileClient | None = None
    unipile_secret: str | None = None
    bland: BlandDoor | None = None
    mail_places: Destinations = field(default_factory=Destinations)
    resolver: Resolver = field(default_factory=DnsResolver)
