"""Opens the mailbox of an account."""

from collections.abc import Callable

import httpx

from shared.providers.gmail import GmailClient, TokenSource
from shared.tokens import AccountRef

TokenSourceOf = Callable[[AccountRef], TokenSource]


class Mailboxes:
    def __init__(
        self, *, http: httpx.AsyncClient, endpoint: str, token_source_of: TokenSourceOf
    ) -> None:
        self._http = http
        self._endpoint = endpoint
        self._token_source_of = token_source_of

    def open(self, account: AccountRef) -> GmailClient:
        tokens = self._token_source_of(account)
        return GmailClient(self._http, endpoint=self._endpoint, tokens=tokens)
