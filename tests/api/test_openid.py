"""People whom a trusted OpenID provider knows are known here, by their verified address."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from api.container import build_container
from api.main import create_app
from api.openid import OpenIdProvider
from api.services.access import AccessService
from shared.config import Settings
from shared.errors import Misconfigured
from shared.keyring import Keyring
from tests.api.conftest import GATEWAY

ISSUER, AUDIENCE = "https://login.test", "drumbeat"
PASSWORD = "correct horse battery"


@dataclass
class Provider:
    """Its keys are at an address that counts how often it is asked."""

    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=dict)
    asked: int = 0
    is_down: bool = False

    def add_key(self, key_id: str) -> None:
        self.keys[key_id] = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.is_down:
            return httpx.Response(503)
        keys = [
            RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": key_id, "alg": "RS256"}
            for key_id, key in self.keys.items()
        ]
        return httpx.Response(200, json={"keys": keys})

    def token(self, key_id: str = "one", **more: Any) -> str:
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "ada",
            "email": "Ada@Engines.example.com",
            "email_verified": True,
            "name": "Ada",
            "exp": datetime.now(UTC) + timedelta(minutes=5),
        }
        given = {name: value for name, value in (claims | more).items() if value is not None}
        return jwt.encode(given, self.keys[key_id], algorithm="RS256", headers={"kid": key_id})


@pytest.fixture
def provider() -> Provider:
    made = Provider()
    made.add_key("one")
    return made


@pytest.fixture
async def client(
    provider: Provider, container: Any, database: Any, keyring: Keyring
) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(provider.answer)) as http:
        openid = OpenIdProvider(
            http, issuer=ISSUER, audience=AUDIENCE, jwks_url=f"{ISSUER}/jwks.json"
        )
        access: AccessService = container.access
        access._openid = openid
        app = create_app(replace(container, access=access))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=GATEWAY) as made:
            yield made


async def me(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.get("/api/auth/me", headers={"Authorization": f"Bearer {token}"})


async def test_a_person_is_made_on_the_first_visit_and_found_on_the_next(
    client: httpx.AsyncClient, provider: Provider
) -> None:
    email, subject = f"{uuid4()}@example.com", str(uuid4())

    first = await me(client, provider.token(email=email, sub=subject))
    second = await me(client, provider.token(email="moved@example.com", sub=subject))

    assert first.status_code == 200, first.text
    assert first.json()["user"]["email"] == email
    assert second.json()["user"]["id"] == first.json()["user"]["id"]
    assert provider.asked == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "somebody else"},
        {"exp": datetime(2020, 1, 1, tzinfo=UTC)},
        {"exp": None},
        {"sub": None},
        {"email_verified": False},
        {"email_verified": None},
        {"email": None},
        {"iss": "https://evil.test"},
    ],
    ids=str,
)
async def test_a_token_that_does_not_say_everything_opens_nothing(
    client: httpx.AsyncClient, provider: Provider, wrong: dict[str, Any]
) -> None:
    assert (await me(client, provider.token(**wrong))).status_code == 401


async def test_a_key_of_somebody_else_opens_nothing(
    client: httpx.AsyncClient, provider: Provider
) -> None:
    forger = Provider()
    forger.add_key("one")
    forger.add_key("two")

    assert (await me(client, forger.token("one"))).status_code == 401
    assert (await me(client, forger.token("two"))).status_code == 401
    assert provider.asked == 1


async def test_a_shared_secret_is_no_key(client: httpx.AsyncClient, provider: Provider) -> None:
    """The public key as an HMAC secret, and no signature at all, are old tricks."""
    claims = jwt.decode(provider.token(), options={"verify_signature": False})
    for algorithm, key in (("HS256", "k" * 32), ("none", "")):
        forged = jwt.encode(claims, key, algorithm=algorithm, headers={"kid": "one"})
        assert (await me(client, forged)).status_code == 401


async def test_while_its_keys_are_away_nobody_new_gets_in(
    client: httpx.AsyncClient, provider: Provider
) -> None:
    provider.is_down = True

    assert (await me(client, provider.token())).status_code == 401


async def test_whoever_registered_the_address_before_is_put_out(
    client: httpx.AsyncClient, provider: Provider
) -> None:
    """They had never shown that it is theirs."""
    email = f"{uuid4()}@example.com"
    person = {"email": email, "password": PASSWORD, "name": "Eve"}
    eve = (await client.post("/api/auth/register", json=person)).json()

    ada = await me(client, provider.token(email=email, sub=str(uuid4())))

    assert ada.json()["user"]["id"] == eve["user"]["id"]
    login = await client.post("/api/auth/login", json={"email": email, "password": PASSWORD})
    again = await client.post("/api/auth/refresh", json={"refresh_token": eve["refresh_token"]})
    assert (login.status_code, again.status_code) == (401, 401)


async def test_an_address_has_one_subject(client: httpx.AsyncClient, provider: Provider) -> None:
    email = f"{uuid4()}@example.com"
    await me(client, provider.token(email=email, sub=str(uuid4())))

    assert (await me(client, provider.token(email=email, sub=str(uuid4())))).status_code == 401


async def test_our_own_tokens_work_beside_it(client: httpx.AsyncClient, provider: Provider) -> None:
    person = {"email": f"{uuid4()}@example.com", "password": PASSWORD, "name": "Eve"}
    tokens = (await client.post("/api/auth/register", json=person)).json()

    assert (await me(client, tokens["access_token"])).status_code == 200
    assert (await me(client, "no token at all")).status_code == 401
    assert provider.asked == 0


async def test_half_of_the_settings_is_a_mistake(postgres: Any, temporal_server: Any) -> None:
    settings = Settings(
        _env_file=None,
        database_url=postgres.app_url,
        temporal_address=temporal_server.address,
        secret_key="s" * 32,
        encryption_keys="k1:" + "A" * 43 + "=",
        oidc_issuer=ISSUER,
    )
    with pytest.raises(Misconfigured, match="DRUMBEAT_OIDC_JWKS_URL"):
        await build_container(settings)
