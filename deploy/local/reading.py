"""The settings of this process, or a sentence about each one that is wrong."""

from pydantic import ValidationError

from shared.config import Settings, environment_names
from shared.errors import Misconfigured


def read_settings() -> Settings:
    """Raises Misconfigured with the names of the settings and never with their values."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = "".join(
            f"\n  {_name(str(problem['loc'][0]))}: {problem['msg']}" for problem in error.errors()
        )
        raise Misconfigured(f"some settings are wrong (environment or .env):{wrong}") from None
    except OSError as error:
        raise Misconfigured(f"a setting names a file that cannot be read: {error}") from None


def _name(location: str) -> str:
    """Pydantic names either the field or the variable that was read."""
    if location in Settings.model_fields:
        return environment_names(location)[0]
    return location.upper()
