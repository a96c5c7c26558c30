"""Where events may be sent, how they are signed, and how long a receiver may be down."""

from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from shared.domain.webhooks import Patience
from shared.errors import Invalid
from shared.webhooks import Destinations, is_public, make_secret, sign

# From the specification's own text (github.com/standard-webhooks/standard-webhooks).
PUBLISHED = {
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "message_id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "timestamp": 1614265330,
    "body": '{"test": 2432232314}',
}
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_published_vector_comes_out() -> None:
    secret, body = str(PUBLISHED["secret"]), str(PUBLISHED["body"])

    signature = sign(
        secret, message_id=str(PUBLISHED["message_id"]), timestamp=1614265330, body=body
    )

    assert signature == SIGNATURE


def test_another_implementation_takes_our_signature() -> None:
    secret, now, body = make_secret(), int(datetime.now(UTC).timestamp()), '{"name":"Zo\u00eb"}'
    signature = sign(secret, message_id="m-1", timestamp=now, body=body)
    headers = {"webhook-id": "m-1", "webhook-timestamp": str(now), "webhook-signature": signature}

    assert Webhook(secret).verify(body, headers) == {"name": "Zo\u00eb"}
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(secret).verify(body.replace("Zo", "Jo"), headers)


def test_secrets_are_never_the_same() -> None:
    assert make_secret() != make_secret()
    assert len(make_secret()) > 40


@pytest.mark.parametrize(
    ("address", "is_of_the_internet"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - nothing listens there
        ("224.0.0.1", False),
        ("::1", False),
        ("fd00::1", False),
        ("fe80::1%eth0", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::a00:1", False),
        ("2002:a00:1::1", False),
    ],
)
def test_an_address_is_public_or_not(address: str, is_of_the_internet: bool) -> None:
    assert is_public(address) is is_of_the_internet


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://example.com", "begins with https"),
        ("example.com/hook", "begins with https"),
        ("https://", "begins with https"),
        ("https://exa mple.com:port/", "no address"),
        ("https://ada:secret@93.184.215.14/", "Leave out the user"),
        ("https://93.184.215.14/#part", "follows a #"),
        ("http://93.184.215.14/", "Use https"),
        ("https://127.0.0.1/", "private network"),
        ("https://[::1]/", "private network"),
        ("https://169.254.169.254/latest/meta-data", "private network"),
        ("https://localhost/", "private network"),
        ("https://2130706433/", "private network"),
        ("https://0x7f.1/", "private network"),
    ],
)
async def test_a_place_that_events_do_not_go_to(url: str, words: str) -> None:
    with pytest.raises(Invalid, match=words) as refused:
        await Destinations().check(url)

    assert refused.value.field == "url"


@pytest.mark.parametrize("url", ["https://93.184.215.14/hook", "https://nobody.invalid/hook"])
async def test_a_place_that_events_go_to(url: str) -> None:
    """A name that nobody knows yet may be made later; it is checked at each call."""
    await Destinations().check(url)


async def test_a_private_network_is_opened_by_a_setting() -> None:
    destinations = Destinations(is_private_allowed=True)

    await destinations.check("http://127.0.0.1:9000/hook")

    assert await destinations.find("127.0.0.1", 9000) == ["127.0.0.1"]
    with pytest.raises(Invalid):
        await Destinations().find("127.0.0.1", 9000)
    with pytest.raises(Invalid, match="too long"):
        await destinations.find(f"{'a' * 70}.com", 443)


def test_waits_grow_and_end() -> None:
    patience = Patience()
    waits = [patience.wait(attempts) for attempts in range(1, 11)]

    assert waits == sorted(waits, key=lambda it: it or timedelta.max)
    assert patience.wait(1) == timedelta(seconds=5)
    assert patience.wait(10) == timedelta(days=1)
    assert patience.wait(11) is None


def test_rests_double_up_to_an_hour() -> None:
    rests = [Patience().rest(failures) for failures in (0, 4, 5, 6, 7, 12, 10_000)]

    seconds = [rest and rest.total_seconds() for rest in rests]
    assert seconds == [None, None, 30, 60, 120, 3_600, 3_600]
