"""What the settings of an installation make: its keyring, and how providers know it."""

from dataclasses import dataclass

import httpx
from pydantic import SecretStr

from shared.calendars import Hosts
from shared.config import Settings, environment_names
from shared.db.models import CalendarProvider
from shared.errors import Misconfigured
from shared.keyring import Keyring
from shared.providers.calendars import CalendarHost
from shared.providers.cronofy import CronofyCalendars, CronofyClient
from shared.providers.google_calendar import GoogleCalendars
from shared.providers.google_oauth import GoogleEndpoints, GoogleOAuth
from shared.providers.unipile import UnipileClient


def make_keyring(settings: Settings) -> Keyring:
    return Keyring(
        secret_key=require(settings, "secret_key"),
        encryption_keys=require(settings, "encryption_keys"),
    )


def google_endpoints(settings: Settings) -> GoogleEndpoints:
    """Without an OAuth client no account can be connected, but everything else works."""
    return GoogleEndpoints(
        auth_url=settings.google_auth_url,
        token_url=settings.google_token_url,
        revoke_url=settings.google_revoke_url,
        userinfo_url=settings.google_userinfo_url,
        client_id=settings.google_client_id or "",
        client_secret=plain(settings.google_client_secret),
        redirect_uri=f"{public_url(settings)}/email/callback/",
    )


def make_unipile(settings: Settings, http: httpx.AsyncClient) -> UnipileClient | None:
    """None: no account of LinkedIn can be connected, and its steps are done by people."""
    endpoint, api_key = settings.unipile_endpoint, settings.unipile_api_key
    if endpoint is None and api_key is None:
        return None
    if endpoint is None or api_key is None:
        raise Misconfigured(
            "Set both of DRUMBEAT_UNIPILE_ENDPOINT and DRUMBEAT_UNIPILE_API_KEY, or neither"
        )
    return UnipileClient(http, endpoint=endpoint, api_key=plain(api_key))


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarClients:
    """Where calendars are. `cronofy` None: this installation has no client there."""

    google_endpoint: str
    cronofy: CronofyClient | None


def calendar_clients(settings: Settings) -> CalendarClients:
    cronofy = None
    if settings.cronofy_client_id and settings.cronofy_client_secret:
        cronofy = CronofyClient(
            client_id=settings.cronofy_client_id,
            client_secret=plain(settings.cronofy_client_secret),
            endpoint=settings.cronofy_endpoint.rstrip("/"),
            redirect_uri=f"{public_url(settings)}/email/callback/",
        )
    return CalendarClients(google_endpoint=settings.calendar_endpoint, cronofy=cronofy)


def calendar_hosts(
    http: httpx.AsyncClient, google: GoogleOAuth | None, clients: CalendarClients
) -> Hosts:
    """Without a client at one of them there are booking links only."""
    hosts: dict[CalendarProvider, CalendarHost] = {}
    if google is not None:
        hosts[CalendarProvider.GOOGLE] = GoogleCalendars(
            http, google, endpoint=clients.google_endpoint
        )
    if clients.cronofy is not None:
        hosts[CalendarProvider.CRONOFY] = CronofyCalendars(http, clients.cronofy)
    return hosts


def public_url(settings: Settings) -> str:
    return (settings.public_url or f"http://{settings.host}:{settings.port}").rstrip("/")


def require(settings: Settings, field: str) -> str:
    """The setting's value. Raises Misconfigured, with its name and meaning, when it is missing."""
    value = getattr(settings, field)
    if value is None:
        meaning = Settings.model_fields[field].description
        raise Misconfigured(f"{environment_names(field)[0]} is not set. {meaning}")
    return plain(value) if isinstance(value, SecretStr) else str(value)


def plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


def make_google(settings: Settings, http: httpx.AsyncClient) -> GoogleOAuth | None:
    """Without an OAuth client no account can be connected, but everything else works."""
    if settings.google_client_id is None or settings.google_client_secret is None:
        return None
    return GoogleOAuth(http, google_endpoints(settings))
