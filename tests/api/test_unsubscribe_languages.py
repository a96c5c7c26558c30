"""The page to unsubscribe is read by people all over Europe."""

from dataclasses import fields
from html import unescape

import httpx
import pytest
from sqlalchemy import update

from api.unsubscribe_words import WORDS, Words
from shared.db.models import LeadRow
from shared.keyring import Keyring
from tests.api.test_unsubscribing import EMAIL, ONE_CLICK, token_of
from tests.factories import Company


@pytest.mark.parametrize(
    ("language", "accepted", "code"),
    [
        pytest.param("de", "fr", "de", id="the lead's own"),
        pytest.param("pt-BR", None, "pt", id="of a country"),
        pytest.param("Nederlands", None, "nl", id="by its name"),
        pytest.param(None, "fr-CA, de;q=0.9", "fr", id="the browser's first"),
        pytest.param(None, "de;q=0.1, it;q=0.7, sv", "it", id="the most wanted that there is"),
        pytest.param("fi", "es", "es", id="a lead's that there is not"),
        pytest.param(None, "fi, *;q=0.5", "en", id="none that there is"),
        pytest.param(None, "es;q=0, ;;,", "en", id="refused, and nonsense"),
        pytest.param(None, None, "en", id="nobody says"),
    ],
)
async def test_the_page_speaks_the_leads_language(
    *,
    anybody: httpx.AsyncClient,
    company: Company,
    keyring: Keyring,
    language: str | None,
    accepted: str | None,
    code: str,
) -> None:
    lead_id = await company.make_lead(email=EMAIL)
    recipient = await company.make_recipient(await company.make_campaign(), lead_id=lead_id)
    token = token_of(keyring, recipient)
    async with company.session() as session:
        await session.execute(update(LeadRow).values(language=language))
    headers = {"Accept-Language": accepted} if accepted else {}

    pages = [
        await anybody.get(f"/u/{token}", headers=headers),
        await anybody.post(f"/u/{token}", data=ONE_CLICK, headers=headers),
    ]

    assert {page.headers["content-language"] for page in pages} == {code}
    assert [f'<html lang="{code}">' in page.text for page in pages] == [True, True]
    assert WORDS[code].ask in unescape(pages[0].text)
    assert WORDS[code].done in unescape(pages[1].text)
    assert "<strong>Acme</strong>" in pages[0].text
    assert "{who}" not in pages[0].text + pages[1].text


async def test_a_link_that_does_not_work_says_so_in_the_browsers_language(
    anybody: httpx.AsyncClient,
) -> None:
    page = await anybody.get("/u/nonsense", headers={"Accept-Language": "de"})

    assert page.status_code == 404
    assert WORDS["de"].broken in page.text


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_every_language_says_everything(words: Words) -> None:
    texts = [getattr(words, field.name) for field in fields(words)]

    assert all(texts)
    assert ["{who}" in text for text in texts].count(True) == 2
    assert len(set(texts)) >= len(texts) - 1
