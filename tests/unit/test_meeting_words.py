"""Who asks to meet, and who only sounds friendly."""

import pytest

from shared.domain.meeting_words import asks_to_meet


@pytest.mark.parametrize(
    "text",
    [
        "Sounds good, let\u2019s talk next Tuesday.",
        "Could we schedule a short call?",
        "When are you free this week?",
        "Happy to chat.\n> We sell light.",
        "Gerne, können wir kurz telefonieren?",
        "Wann hätten Sie Zeit?",
        "Volontiers, on pourrait prendre rendez-vous.",
        "Podemos hablar el martes.",
        "Volentieri, fissiamo un incontro.",
        "Graag, kunnen we een afspraak maken?",
    ],
)
def test_who_asks_to_meet_is_understood(text: str) -> None:
    assert asks_to_meet(text)


@pytest.mark.parametrize(
    "text",
    [
        "Sounds good, please send me more information.",
        "Yes please!",
        "Klingt gut, schicken Sie mir bitte mehr.",
        "Thanks, I have read it.\n> Shall we schedule a call?",
        "",
    ],
)
def test_who_wants_to_read_more_is_not_met(text: str) -> None:
    assert not asks_to_meet(text)
