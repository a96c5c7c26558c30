"""What the settings of an installation make: its keyring, and how it is known to Google."""

from pydantic import SecretStr

from shared.config import Settings, environment_names
from shared.errors import Misconfigured
from shared.keyring import Keyring
from shared.providers.google_oauth import GoogleEndpoints


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
