"""Every setting, read from the environment or `.env` at the edge and handed on as a value.

A secret `X` may also come as `X_FILE`, the path of a file that holds it.
"""

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import AliasChoices, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

LOCAL_DATA = Path(".drumbeat")


def _bare(name: str) -> Any:
    """A name that other tools know, so it has no prefix."""
    return AliasChoices(name.upper(), f"DRUMBEAT_{name.upper()}")


class Settings(BaseSettings):
    """Names are `DRUMBEAT_` + the field in capitals, but for those that other tools know."""

    model_config = SettingsConfigDict(
        env_prefix="DRUMBEAT_", env_file=".env", extra="ignore", populate_by_name=True
    )

    data_dir: Path = Field(LOCAL_DATA, description="Folder of everything that a local start keeps.")
    cache_dir: Path = Field(
        default_factory=lambda: Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "drumbeat"),
        description="Folder of programs that are fetched or built once; any number may share it.",
    )
    database_url: str | None = Field(
        None,
        validation_alias=_bare("database_url"),
        description="Application login of a Postgres server; without it one is started.",
    )
    migration_database_url: str | None = Field(
        None, description="Owner login, used by `drumbeat migrate` alone."
    )
    temporal_address: str | None = Field(
        None,
        validation_alias=_bare("temporal_address"),
        description="host:port of a Temporal server; without it one is started.",
    )
    temporal_namespace: str = Field(
        "default", validation_alias=_bare("temporal_namespace"), description="Temporal namespace."
    )
    temporal_api_key: SecretStr | None = Field(
        None, validation_alias=_bare("temporal_api_key"), description="API key of Temporal Cloud."
    )
    host: str = Field("127.0.0.1", description="Address that the gateway listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port of the gateway; 0 takes a free one.")
    metrics_port: int = Field(
        0, ge=0, le=65535, description="Port of a worker's /healthz and /metrics; 0: a free one."
    )
    public_url: str | None = Field(
        None, description="Address under which people and providers reach the gateway."
    )
    secret_key: SecretStr | None = Field(
        None, description="Signs tokens and keyed hashes; at least 32 characters."
    )
    encryption_keys: SecretStr | None = Field(
        None, description="`id:base64key[,id:base64key]`, 32 bytes each; the first one encrypts."
    )
    google_client_id: str | None = Field(
        None,
        validation_alias=AliasChoices("DRUMBEAT_GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_ID"),
        description="OAuth client for Gmail.",
    )
    google_client_secret: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("DRUMBEAT_GOOGLE_CLIENT_SECRET", "GOOGLE_CLIENT_SECRET"),
        description="Its secret.",
    )
    google_auth_url: str = Field(
        "https://accounts.google.com/o/oauth2/v2/auth", description="Where people give consent."
    )
    google_token_url: str = Field(
        "https://oauth2.googleapis.com/token",
        description="Where codes and refresh tokens are exchanged.",
    )
    google_revoke_url: str = Field(
        "https://oauth2.googleapis.com/revoke", description="Where tokens are revoked."
    )
    google_userinfo_url: str = Field(
        "https://openidconnect.googleapis.com/v1/userinfo", description="Who has connected."
    )
    google_certs_url: str = Field(
        "https://www.googleapis.com/oauth2/v3/certs", description="Keys that sign Google's tokens."
    )
    gmail_endpoint: str = Field("https://gmail.googleapis.com", description="The Gmail API.")
    calendar_endpoint: str = Field(
        "https://www.googleapis.com/calendar/v3/", description="The Google Calendar API."
    )
    bland_endpoint: str = Field(
        "https://api.bland.ai", description="The API of Bland, whose agents place phone calls."
    )
    bland_webhook_secret: SecretStr | None = Field(
        None,
        description="Secret that Bland signs its webhooks with, for accounts without one of their"
        " own; without either, calls are asked for instead.",
    )
    cronofy_client_id: str | None = Field(
        None, description="Client at Cronofy, for calendars that are not Google's."
    )
    cronofy_client_secret: SecretStr | None = Field(None, description="Its secret.")
    cronofy_endpoint: str = Field(
        "https://api.cronofy.com", description="Cronofy's API, in the data centre of the client."
    )
    pubsub_topic: str | None = Field(
        None,
        description="projects/P/topics/T that Gmail tells of new mails; without it mailboxes are"
        " only read every so often.",
    )
    pubsub_audience: str | None = Field(
        None,
        description="Audience of the tokens with which Pub/Sub calls POST /webhooks/gmail; without"
        " it nobody may.",
    )
    pubsub_service_account: str | None = Field(
        None, description="E-mail address of the service account that those tokens name."
    )
    oidc_issuer: str | None = Field(
        None, description="OpenID provider whose tokens sign people in; all three or none."
    )
    oidc_audience: str | None = Field(None, description="For whom its tokens have to be.")
    oidc_jwks_url: str | None = Field(None, description="Where its public keys are.")
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Origins of frontends, with commas between."
    )
    object_store_url: str | None = Field(
        None,
        description="Where uploaded files are kept, such as s3://bucket/folder, with the usual AWS_"
        " settings; without it in the data folder.",
    )
    largest_upload_mb: int = Field(
        1_000, ge=1, description="Megabytes that an uploaded file of leads may have."
    )
    unipile_endpoint: str | None = Field(
        None,
        description="https://DSN of Unipile, which speaks for accounts of LinkedIn; without it"
        " LinkedIn's steps are to-dos for people.",
    )
    unipile_api_key: SecretStr | None = Field(None, description="Its key.")
    unipile_webhook_secret: SecretStr | None = Field(
        None,
        description="Comes back in a header of POST /webhooks/unipile; without it nobody may call"
        " there, and accounts are only read every so often.",
    )
    openai_base_url: str | None = Field(
        None,
        validation_alias=_bare("openai_base_url"),
        description="An OpenAI-compatible model; without it nothing is asked of a model.",
    )
    openai_api_key: SecretStr | None = Field(
        None, validation_alias=_bare("openai_api_key"), description="Its key."
    )
    openai_model: str = Field("gpt-5-mini", description="Name of the model that is asked.")
    webhook_private_addresses: bool = Field(
        False,
        description="Events may also go to addresses of private networks, and over plain http.",
    )
    webhook_give_up_days: float = Field(
        5, gt=0, description="A webhook that has failed for so long is switched off."
    )
    inbox_poll_seconds: float = Field(
        30, gt=0, description="How often a mailbox is read for answers."
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")
    otel_exporter_otlp_endpoint: str | None = Field(
        None,
        validation_alias=_bare("otel_exporter_otlp_endpoint"),
        description="Where traces go (OTLP over HTTP); without it they stay in the process.",
    )

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, values: dict[str, Any]) -> dict[str, Any]:
        for field in _secret_fields():
            names = environment_names(field)
            paths = [path for name in names if (path := os.environ.get(f"{name}_FILE"))]
            if paths and not values.keys() & {field, *names}:
                values[field] = Path(paths[0]).read_text(encoding="utf-8").strip()
        return values

    @model_validator(mode="before")
    @classmethod
    def _split_origins(cls, values: dict[str, Any]) -> dict[str, Any]:
        origins = values.get("cors_origins")
        if isinstance(origins, str):
            values["cors_origins"] = tuple(o.strip() for o in origins.split(",") if o.strip())
        return values


def environment_names(field: str) -> tuple[str, ...]:
    """Every name under which the environment may give this field, the first one preferred."""
    alias = Settings.model_fields[field].validation_alias
    if isinstance(alias, AliasChoices):
        return tuple(str(choice) for choice in alias.choices)
    return (f"DRUMBEAT_{field.upper()}",)


def _secret_fields() -> list[str]:
    fields = Settings.model_fields.items()
    secret = {name for name, field in fields if "SecretStr" in str(field.annotation)}
    return sorted({"database_url", "migration_database_url"} | secret)
