"""Makes the services that are made of more than a line's worth of parts."""

from api.campaign_files import SCHEMA_PATH
from api.conducting import Conducting
from api.documents import LARGEST_DOCUMENT, DocumentReader
from api.parts import Parts
from api.services.access import AccessService
from api.services.account_checks import AccountCheckService
from api.services.accounts import AccountService
from api.services.auth import AuthService
from api.services.browser_sessions import BrowserSessionService
from api.services.definitions import DefinitionService
from api.services.erasing import EraseService
from api.services.inbound import InboundService
from api.services.previewing import PreviewService
from api.services.products import ProductService
from api.services.unsubscribing import UnsubscribeService
from api.services.webhooks import WebhookService
from api.tokens import AccessTokens

MB = 1024 * 1024
# Around a file in a form.
FORM_BYTES = 64 * 1024


def make_access(
    parts: Parts, tokens: AccessTokens, browser_sessions: BrowserSessionService
) -> AccessService:
    return AccessService(
        database=parts.database,
        keyring=parts.keyring,
        tokens=tokens,
        browser_sessions=browser_sessions,
        openid=parts.openid,
    )


def make_auth(parts: Parts, tokens: AccessTokens) -> AuthService:
    return AuthService(
        database=parts.database, keyring=parts.keyring, tokens=tokens, passwords=parts.passwords
    )


def make_account_checks(parts: Parts, accounts: AccountService) -> AccountCheckService:
    return AccountCheckService(database=parts.database, accounts=accounts, resolver=parts.resolver)


def make_unsubscribing(
    parts: Parts, conducting: Conducting, inbound: InboundService
) -> UnsubscribeService:
    return UnsubscribeService(
        database=parts.database, keyring=parts.keyring, conducting=conducting, inbound=inbound
    )


def make_erasing(parts: Parts, conducting: Conducting) -> EraseService:
    return EraseService(
        database=parts.database, conducting=conducting, storage=parts.storage, keyring=parts.keyring
    )


def make_products(parts: Parts) -> ProductService:
    return ProductService(
        database=parts.database, storage=parts.storage, documents=DocumentReader()
    )


def make_definitions(parts: Parts, conducting: Conducting) -> DefinitionService:
    return DefinitionService(
        database=parts.database,
        conducting=conducting,
        schema_url=f"{parts.places.public_url}{SCHEMA_PATH}",
    )


def make_previews(parts: Parts, conducting: Conducting) -> PreviewService:
    return PreviewService(
        database=parts.database, keyring=parts.keyring, conducting=conducting, places=parts.places
    )


def make_webhooks(parts: Parts) -> WebhookService:
    return WebhookService(
        database=parts.database, keyring=parts.keyring, destinations=parts.destinations
    )


def uploads(parts: Parts) -> dict[str, int]:
    """Patterns of the paths that take a file, and how many bytes."""
    return {
        r"/api/companies/[^/]+/leads/upload": parts.largest_upload_mb * MB + FORM_BYTES,
        r"/api/companies/[^/]+/products(/[^/]+)?": LARGEST_DOCUMENT + FORM_BYTES,
    }
