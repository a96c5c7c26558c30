"""The sandbox's Google and its people, for real: the pinned program answers on loopback."""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from deploy.sandbox.behaviour import Answer, Behaviour, Manner, Person, cast_people
from deploy.sandbox.browser import give_consent
from deploy.sandbox.emulator import GoogleEmulator, GoogleUser, OAuthClient, Seed
from deploy.sandbox.mailbox import Mailbox
from deploy.sandbox.people import People
from shared.config import Settings
from shared.errors import Refused

SAM, PAT = "sam@us.test", "pat@us.test"
CALLBACK = "http://127.0.0.1:9/email/callback/"
SEED = Seed(
    users=(GoogleUser(email=SAM, name="Sam Seller"), GoogleUser(email=PAT, name="Pat Partner")),
    client=OAuthClient(client_id="app", client_secret="quiet", redirect_uris=(CALLBACK,)),
)


@pytest.fixture
async def google(tmp_path: Path) -> AsyncIterator[GoogleEmulator]:
    async with GoogleEmulator(
        SEED, log=tmp_path / "google.log", cache=Settings().cache_dir
    ) as running:
        yield running


@pytest.fixture
async def mailbox(google: GoogleEmulator) -> AsyncIterator[Mailbox]:
    async with await Mailbox.open(google, SAM) as opened:
        yield opened


class Sender:
    """Sends mail the way an application does: drafts first, follow-ups in the thread."""

    def __init__(self, google: GoogleEmulator) -> None:
        self._http = httpx.AsyncClient(
            base_url=f"{google.url}/gmail/v1/users/me", headers={"Authorization": "Bearer any"}
        )

    async def send(self, to: str, *, subject: str = "Hello", thread: str | None = None) -> str:
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"], mail["Subject"] = f"Sam <{SAM}>", to, subject
        mail.set_content("Shall we talk?")
        raw = {"raw": _encoded(mail), **({"threadId": thread} if thread else {})}
        draft = (await self._http.post("/drafts", json={"message": raw})).json()
        sent = (await self._http.post("/drafts/send", json={"id": draft["id"]})).json()
        return str(sent["threadId"])

    async def found(self, query: str) -> list[str]:
        answer = (await self._http.get("/messages", params={"q": query})).json()
        return [message["id"] for message in answer["messages"]]

    async def close(self) -> None:
        await self._http.aclose()


@pytest.fixture
async def sender(google: GoogleEmulator) -> AsyncIterator[Sender]:
    running = Sender(google)
    yield running
    await running.close()


def _encoded(mail: EmailMessage) -> str:
    return urlsafe_b64encode(mail.as_bytes()).decode()


def person(address: str, answer: Answer, **changes: int) -> Person:
    return Person(
        address=address,
        answer=answer,
        after_mail=changes.get("after_mail", 1),
        thinks_seconds=0,
        away_seconds=10,
        manner=Manner.PLAIN,
    )


async def test_two_mailboxes_are_kept_apart(google: GoogleEmulator, sender: Sender) -> None:
    await sender.send("anna@lead.test")
    async with await Mailbox.open(google, SAM) as own, await Mailbox.open(google, PAT) as other:
        assert len(await own.list_ids("SENT")) == 1
        assert await other.list_ids("SENT") == []


@pytest.mark.parametrize("answer", [kind for kind in Answer if kind is not Answer.SILENT])
async def test_every_answer_arrives_in_the_thread_of_its_mail(
    mailbox: Mailbox, sender: Sender, answer: Answer
) -> None:
    await sender.send("ben@lead.test", subject="Another thread")
    thread = await sender.send("anna@lead.test")
    people = People(mailbox, {"anna@lead.test": person("anna@lead.test", answer)})
    await people.take_turn()

    (inbox,) = await mailbox.list_ids("INBOX")
    arrived = await mailbox.read(inbox)
    assert arrived.thread_id == thread
    (deed,) = people.deeds
    assert (deed.address, deed.answer, deed.mail_number) == ("anna@lead.test", answer, 1)
    assert deed.message == inbox
    assert people.mails[deed.to_message].thread_id == thread


async def test_a_person_waits_for_their_mail_and_answers_it_once(
    mailbox: Mailbox, sender: Sender
) -> None:
    anna = person("anna@lead.test", Answer.REPLY, after_mail=2)
    people = People(mailbox, {"anna@lead.test": anna})
    thread = await sender.send("anna@lead.test")
    await people.take_turn()
    assert people.deeds == []
    for _ in range(2):
        await sender.send("anna@lead.test", thread=thread)
        await people.take_turn()
    assert [deed.mail_number for deed in people.deeds] == [2]


async def test_people_play_by_themselves_until_all_have_answered(
    mailbox: Mailbox, sender: Sender
) -> None:
    addresses = [f"lead{number}@lead.test" for number in range(10)]
    behaviour = Behaviour(last_mail=1, thinks_seconds=(0, 0.2))
    people = People(mailbox, cast_people(addresses, seed=5, behaviour=behaviour))
    async with asyncio.TaskGroup() as tasks:
        playing = tasks.create_task(people.play())
        for address in addresses:
            await sender.send(address)
        await _until(lambda: len(people.deeds) == 5)
        playing.cancel()
    assert not people.is_busy
    assert len(await mailbox.list_ids("INBOX")) == 5


async def test_a_search_by_message_id_finds_the_mail(mailbox: Mailbox, sender: Sender) -> None:
    await sender.send("anna@lead.test")
    (sent,) = await mailbox.list_ids("SENT")
    mail = await mailbox.read(sent)
    name = mail.received.message_id.strip("<>")
    assert await sender.found(f"rfc822msgid:{name}") == [sent]


async def test_a_token_is_not_used_up_by_five_thousand_requests(google: GoogleEmulator) -> None:
    async with httpx.AsyncClient(base_url=google.url) as http:
        asked = await http.get("/gmail/v1/users/me/labels", headers={"Authorization": "Bearer a"})
    assert int(asked.headers["X-RateLimit-Remaining"]) > 1_000_000


async def test_consent_is_given_as_the_chosen_user(google: GoogleEmulator) -> None:
    seen: list[httpx.URL] = []

    async def gateway(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/email/connect/":
            query = {"client_id": "app", "redirect_uri": CALLBACK, "state": "s-1", "scope": "email"}
            page = f"{google.url}/o/oauth2/v2/auth?{httpx.QueryParams(query)}"
            return httpx.Response(302, headers={"Location": page})
        if request.url.path == "/email/callback/":
            seen.append(request.url)
            return httpx.Response(303, headers={"Location": "/settings?connected=1"})
        async with httpx.AsyncClient() as real:
            body = await request.aread()
            answer = await real.request(
                request.method, request.url, headers=request.headers, content=body
            )
        headers = {"Location": answer.headers["Location"]} if answer.has_redirect_location else {}
        return httpx.Response(answer.status_code, headers=headers, content=answer.content)

    link = "http://127.0.0.1:9/email/connect/?ticket=t"
    async with httpx.AsyncClient(transport=httpx.MockTransport(gateway)) as http:
        ended = await give_consent(http, link, email=PAT)
        with pytest.raises(Refused, match=r"offers no consent for nobody@us\.test"):
            await give_consent(http, link, email="nobody@us.test")

    assert ended == "http://127.0.0.1:9/settings?connected=1"
    given = parse_qs(urlsplit(str(seen[0])).query)
    assert given["state"] == ["s-1"]
    assert await _email_behind(google, given["code"][0]) == PAT


async def _until(has_happened: Callable[[], bool]) -> None:
    for _ in range(400):
        if has_happened():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not happen within 20 s")


async def _email_behind(google: GoogleEmulator, code: str) -> str:
    form = {"client_id": "app", "client_secret": "quiet", "redirect_uri": CALLBACK, "code": code}
    async with httpx.AsyncClient(base_url=google.url) as http:
        granted = await http.post(
            "/oauth2/token", data={**form, "grant_type": "authorization_code"}
        )
        bearer = {"Authorization": f"Bearer {granted.json()['access_token']}"}
        return str((await http.get("/oauth2/v2/userinfo", headers=bearer)).json()["email"])
