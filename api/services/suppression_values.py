"""What may be suppressed, in the spelling under which leads are stored."""

from shared.importing.addresses import normal_email, normal_phone, normal_profile
from shared.suppression import SuppressionKind


def normal_value(kind: SuppressionKind, value: str) -> str:
    """Raises NoAddress, which says what to give.

    A domain is that of addresses, without its subdomains: they may be other people's.
    """
    match kind:
        case SuppressionKind.EMAIL:
            return normal_email(value)
        case SuppressionKind.DOMAIN:
            name = value.strip().removeprefix("@")
            return normal_email(f"postmaster@{name}").rpartition("@")[2]
        case SuppressionKind.PHONE:
            return normal_phone(value)
        case SuppressionKind.LINKEDIN:
            return normal_profile(value)
