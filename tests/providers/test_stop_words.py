"""Who asks not to be written to again, and who only uses such words."""

import pytest

from shared.providers.stop_words import asks_to_stop


@pytest.mark.parametrize(
    "text",
    [
        "unsubscribe",
        "STOP",
        "Stop.",
        "Please remove",
        "Unsubscribe please\n\nLea Lead\nHead of Everything\nLead GmbH, Berlin",
        "Hi Sam,\n\nunsubscribe\n\nLea",
        "Please remove me from your list.",
        "Can you please take me off\nyour mailing list?",
        "Please unsubscribe me. Best regards, Lea",
        "Stop emailing me!",
        "Please don\u2019t contact me again.",
        "Do not email us anymore",
        "I would like to unsubscribe.",
        "Not interested, please delete my data. Thanks",
        "Thanks for asking, but no more emails please.",
        "Opt out",
        "Bitte abmelden",
        "Bitte keine weiteren Mails mehr, danke.",
        "Bitte löschen Sie mich aus Ihrem Verteiler.\n\nMit freundlichen Grüßen\nLea",
        "Bitte nicht mehr kontaktieren",
        "Merci de me désabonner de votre liste",
        "Ne me contactez plus.",
        "Retirez-moi de cette liste svp",
        "Quiero darme de baja",
        "Por favor, no me escriban más",
        "Cancellatemi dalla lista, grazie",
        "Non scrivetemi più",
        "Verwijder mij uit uw bestand aub",
        "Graag geen mails meer",
        "Unsubscribe\n\nSent from my phone",
    ],
)
def test_a_short_order_is_one(text: str) -> None:
    assert asks_to_stop(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sounds good, call me.",
        "I will stop by your booth on Tuesday.",
        "Does your tool let people unsubscribe?",
        "Unsubscribe?",
        "How do we remove bounced addresses with it?",
        "Please don't contact me before Monday, I am travelling.",
        "Never mail me on weekends, weekdays are fine.",
        "We had to stop the project, but I am interested in March.",
        "Not interested.",
        "No, thanks",
        "We have many questions. " * 10 + "Can you stop sending attachments and use links?",
        "Wir suchen genau das, rufen Sie mich an. Abmelden kann man sich sicher jederzeit.",
        "Thanks\n\nLea",
    ],
)
def test_an_answer_that_has_such_words_stays_an_answer(text: str) -> None:
    assert not asks_to_stop(text)


@pytest.mark.parametrize(
    ("text", "subject", "expected"),
    [
        ("", "unsubscribe", True),
        ("", "Re: AW: Unsubscribe", True),
        ("", "Re: How to unsubscribe?", False),
        ("Yes, tell me more.", "unsubscribe", False),
        ("-- \nLea", "unsubscribe", False),
    ],
)
def test_the_subject_speaks_for_an_empty_mail_alone(
    text: str, subject: str, expected: bool
) -> None:
    assert asks_to_stop(text, subject=subject) is expected
