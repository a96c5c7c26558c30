"""Settings as environment variables: all that a child process learns from us."""

from pydantic import SecretStr

from shared.config import Settings, environment_names

# Whoever serves requests or runs workflows has no use for the login that may change tables.
KEPT_BACK = ("migration_database_url",)


def environment_of(settings: Settings) -> dict[str, str]:
    """Whatever was set, under its first name; defaults stay defaults."""
    given = settings.model_fields_set - set(KEPT_BACK)
    values = {environment_names(field)[0]: getattr(settings, field) for field in sorted(given)}
    return {name: _as_text(value) for name, value in values.items() if value is not None}


def kept_back_names() -> tuple[str, ...]:
    names = [name for field in KEPT_BACK for name in environment_names(field)]
    return (*names, *(f"{name}_FILE" for name in names))


def _as_text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value)
