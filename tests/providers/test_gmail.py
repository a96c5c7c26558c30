"""The real client on the wire of a fake Gmail: drafts, look-ups, history."""

import asyncio
from datetime import datetime, timedelta

import pytest

from shared.errors import Gone
from shared.providers.gmail import GmailClient, InThread
from tests.costs import cost
from tests.fakes.gmail import FakeGmail, FakeTokens, http_of
from tests.providers.samples import LEAD, NOON, make_raw


async def find(
    client: GmailClient, *, key: str = "key-1", thread_id: str | None, since: datetime = NOON
) -> InThread | None:
    return await client.find_sent(key=key, thread_id=thread_id, to=LEAD, since=since)


async def test_a_draft_is_sent_once(client: GmailClient, gmail: FakeGmail) -> None:
    draft = await client.create_draft(make_raw())
    assert await client.has_draft(draft.id)
    assert (await client.get_draft(draft.id)).raw == make_raw()
    assert await client.list_drafts() == [draft]

    sent = await client.send_draft(draft.id)

    assert sent.thread_id == draft.thread_id
    assert not await client.has_draft(draft.id)
    with pytest.raises(Gone):
        await client.send_draft(draft.id)
    [mail] = gmail.sent
    assert (mail.id, mail.key) == (sent.id, "key-1")


async def test_a_deleted_draft_will_never_be_sent(client: GmailClient, gmail: FakeGmail) -> None:
    draft = await client.create_draft(make_raw())

    assert await client.delete_draft(draft.id) is True
    assert await client.delete_draft(draft.id) is False
    with pytest.raises(Gone):
        await client.send_draft(draft.id)
    assert gmail.sent == []


@pytest.mark.parametrize("in_thread", [True, False])
async def test_a_clock_that_was_an_hour_ahead_hides_no_sent_mail(
    client: GmailClient, in_thread: bool
) -> None:
    draft = await client.create_draft(make_raw())
    sent = await client.send_draft(draft.id)
    thread_id = draft.thread_id if in_thread else None

    assert await find(client, thread_id=thread_id, since=NOON + timedelta(hours=1)) == sent


async def test_two_sends_of_one_draft_at_once_send_one_mail(
    client: GmailClient, gmail: FakeGmail
) -> None:
    draft = await client.create_draft(make_raw())
    gmail.may_send.clear()

    sends = [asyncio.create_task(client.send_draft(draft.id)) for _ in range(2)]
    await gmail.is_sending.wait()
    gmail.may_send.set()
    results = await asyncio.gather(*sends, return_exceptions=True)

    assert sorted(type(result).__name__ for result in results) == ["Gone", "InThread"]
    assert len(gmail.sent) == 1


async def test_a_follow_up_joins_the_thread_and_a_lost_thread_says_so(
    client: GmailClient, gmail: FakeGmail
) -> None:
    first = await client.send_draft((await client.create_draft(make_raw())).id)
    message_id = await client.message_id_of(first.id)

    raw = make_raw("key-2", in_reply_to=message_id)
    second = await client.create_draft(raw, thread_id=first.thread_id)

    assert second.thread_id == first.thread_id
    with pytest.raises(Gone):
        await client.create_draft(raw, thread_id="thread-of-another-mailbox")


async def test_the_message_id_is_gmails_own(client: GmailClient, gmail: FakeGmail) -> None:
    sent = await client.send_draft((await client.create_draft(make_raw())).id)
    bare = gmail.box.deliver(b"Subject: no id\r\n\r\n")

    assert await client.message_id_of(sent.id) == gmail.sent[0].message_id
    assert "mail.gmail.com" in gmail.sent[0].message_id
    assert await client.message_id_of(bare.id) is None


async def test_a_sent_mail_is_found_by_its_key(client: GmailClient, gmail: FakeGmail) -> None:
    sent = await client.send_draft((await client.create_draft(make_raw())).id)
    follow_up = await client.create_draft(make_raw("key-2"), thread_id=sent.thread_id)

    assert await find(client, thread_id=sent.thread_id) == sent
    assert gmail.requests["messages.list"] == 0
    assert await find(client, key="key-2", thread_id=follow_up.thread_id) is None


@pytest.mark.parametrize("thread_id", [None, "thread-that-is-gone"])
async def test_a_sent_mail_is_found_without_its_thread(
    client: GmailClient, gmail: FakeGmail, thread_id: str | None
) -> None:
    other = await client.create_draft(make_raw("key-2"))
    await client.send_draft(other.id)
    sent = await client.send_draft((await client.create_draft(make_raw())).id)
    gmail.sent[1].labels.add("TRASH")

    assert await find(client, thread_id=thread_id) == sent


async def test_the_thread_is_enough_while_search_is_behind(
    client: GmailClient, gmail: FakeGmail
) -> None:
    sent = await client.send_draft((await client.create_draft(make_raw())).id)
    gmail.is_search_behind = True

    assert await find(client, thread_id=sent.thread_id) == sent


async def test_what_left_long_before_is_not_looked_at(
    client: GmailClient, gmail: FakeGmail
) -> None:
    sent = await client.send_draft((await client.create_draft(make_raw())).id)
    gmail.requests.clear()

    found = await find(client, thread_id=sent.thread_id, since=NOON + timedelta(hours=3))

    assert found is None
    assert gmail.requests["messages.get"] == 0


async def test_a_mail_that_goes_away_while_we_look_is_passed_over(
    client: GmailClient, gmail: FakeGmail
) -> None:
    sent = await client.send_draft((await client.create_draft(make_raw())).id)
    gmail.fail(404, on="messages.get")
    gmail.is_search_behind = True

    assert await find(client, thread_id=sent.thread_id) is None


async def test_a_mail_comes_whole(client: GmailClient, gmail: FakeGmail) -> None:
    raw = "Subject: Grüße\r\n\r\nüber 8 bit\xff".encode("latin-1")
    reply = gmail.box.deliver(raw)

    mail = await client.get_mail(reply.id)

    assert (mail.raw, mail.internal_at) == (raw, NOON)
    assert mail.label_ids == {"INBOX", "UNREAD"}
    gmail.box.delete(reply)
    with pytest.raises(Gone):
        await client.get_mail(reply.id)


async def test_history_is_read_to_its_end_in_order(client: GmailClient, gmail: FakeGmail) -> None:
    start = await client.latest_history_id()
    mails = [gmail.box.deliver(b"Subject: hi\r\n\r\n") for _ in range(5)]
    gmail.page_size = 2

    ids, history_id = await client.new_since(start)

    assert ids == [mail.id for mail in mails]
    assert gmail.requests["history.list"] == 3
    assert await client.new_since(history_id) == ([], history_id)


async def test_a_history_too_old_is_gone(client: GmailClient, gmail: FakeGmail) -> None:
    gmail.oldest_history_id = 500

    with pytest.raises(Gone):
        await client.new_since("499")


async def test_without_profiles_the_newest_mail_names_the_history(
    client: GmailClient, gmail: FakeGmail
) -> None:
    gmail.fail(404, on="getProfile")
    assert await client.latest_history_id() == "0"

    gmail.box.deliver(b"Subject: old\r\n\r\n")
    newest = gmail.box.deliver(b"Subject: new\r\n\r\n")
    gmail.fail(404, on="getProfile")
    assert await client.latest_history_id() == str(newest.history_id)


async def test_a_list_stops_at_its_limit(client: GmailClient, gmail: FakeGmail) -> None:
    mails = [gmail.box.deliver(b"Subject: hi\r\n\r\n") for _ in range(5)]
    gmail.page_size = 2

    assert await client.list_mail("in:inbox", limit=3) == [m.id for m in mails[:1:-1]]
    assert gmail.requests["messages.list"] == 2
    assert await client.list_mail("in:sent") == []


async def test_a_client_costs_next_to_nothing(gmail: FakeGmail) -> None:
    async with gmail.http() as http:
        GmailClient(http, endpoint=gmail.endpoint, tokens=FakeTokens())

        def work() -> None:
            for _ in range(1_000):
                GmailClient(http, endpoint=gmail.endpoint, tokens=FakeTokens())

        assert cost(work) < 25


async def test_two_mailboxes_do_not_mix() -> None:
    boxes = {"sam": FakeGmail(), "tom": FakeGmail()}
    async with http_of(boxes) as http:
        sam, tom = (
            GmailClient(http, endpoint=FakeGmail.endpoint, tokens=FakeTokens(name))
            for name in boxes
        )
        draft = await sam.create_draft(make_raw())

        assert await sam.has_draft(draft.id)
        assert not await tom.has_draft(draft.id)
