"""What a person has set in Gmail: the addresses that they send as."""

from dataclasses import dataclass

from shared.providers.gmail import GmailClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """`signature` is HTML, which Gmail does not add to mails that come through its API.

    `is_usable`: Gmail puts the account's own address in place of others.
    """

    email: str
    name: str | None
    signature: str | None
    is_default: bool
    is_usable: bool


class GmailSettings(GmailClient):
    async def aliases(self) -> list[Alias]:
        """The account's own address and those that were added to it."""
        answer = await self._call(self._api.users.settings().sendAs().list(userId="me"))
        return [
            Alias(
                email=found["sendAsEmail"].lower(),
                name=found.get("displayName") or None,
                signature=found.get("signature") or None,
                is_default=bool(found.get("isDefault")),
                is_usable=bool(found.get("isPrimary"))
                or found.get("verificationStatus") == "accepted",
            )
            for found in answer.get("sendAs", [])
        ]
