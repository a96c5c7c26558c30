"""Whether somebody says on the phone that they are not to be called again."""

import pytest

from shared.providers.spoken_words import asks_for_no_calls


@pytest.mark.parametrize(
    "said",
    [
        "Stop calling me!",
        "Please don't call me again.",
        "Don\u2019t call here any more, okay?",
        "Take me off your list",
        "Can you take me off your list?",
        "Remove my number from your database please",
        "Never call this number again",
        "put me on the do not call list",
        "I don't want you to call me again",
        "Do not call.",
        "lose my number",
        "please do not contact me any more",
        "Rufen Sie mich nicht mehr an",
        "Bitte keine Anrufe mehr",
        "Ne m'appelez plus",
        "No me llamen más",
        "Non chiamatemi più",
        "Unsubscribe",
    ],
)
def test_an_order_is_understood(said: str) -> None:
    assert asks_for_no_calls(["Hello?", said, "Bye."])


@pytest.mark.parametrize(
    "said",
    [
        "Yes, that would be great",
        "Don't call me before noon",
        "do not call me today, call tomorrow",
        "Don't call me a liar",
        "I never call here",
        "How do I stop calling this service",
        "Why did you stop calling me",
        "Did you stop calling me?",
        "Call me again next week",
        "We have no need for that",
        "",
    ],
)
def test_nothing_is_read_into_other_words(said: str) -> None:
    assert not asks_for_no_calls([said])
