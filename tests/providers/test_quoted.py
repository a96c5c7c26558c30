"""What was written now. The samples have the shape that each mail program gives its replies."""

import pytest

from shared.providers.quoted import without_quotes

QUOTE = "\n\n> Hi Lea,\n> please unsubscribe\n"


@pytest.mark.parametrize(
    "introduction",
    [
        "On Fri, Nov 20, 2026 at 1:00 PM Sam Seller <sam@acme.test> wrote:",
        "On Fri, Nov 20, 2026 at 1:00 PM Sam Seller of the Acme Company\n<sam@acme.test> wrote:",
        "Am Fr., 20. Nov. 2026 um 13:00 Uhr schrieb Sam Seller <sam@acme.test>:",
        "Am 20.11.26 um 13:00 schrieb Sam Seller:",
        "Le ven. 20 nov. 2026 à 13:00, Sam Seller <sam@acme.test> a écrit :",
        "El vie, 20 nov 2026 a las 13:00, Sam Seller (<sam@acme.test>) escribió:",
        "Il giorno ven 20 nov 2026 alle ore 13:00 Sam Seller <sam@acme.test> ha scritto:",
        "Op vr 20 nov 2026 om 13:00 schreef Sam Seller <sam@acme.test>:",
    ],
)
def test_what_programs_put_above_a_quote_goes_with_it(introduction: str) -> None:
    assert without_quotes(f"Yes.\n\nLea\n\n{introduction}{QUOTE}") == "Yes.\n\nLea"
    unmarked = QUOTE.replace("> ", "")
    assert without_quotes(f"Yes.\n\n{introduction}{unmarked}") == "Yes."


@pytest.mark.parametrize(
    "header",
    [
        "________________________________\nFrom: Sam <sam@acme.test>\nSent: Friday",
        "From: Sam <sam@acme.test>\nSent: Friday\nTo: Lea",
        "Von: Sam <sam@acme.test>\nGesendet: Freitag\nAn: Lea",
        "De : Sam <sam@acme.test>\nEnvoyé : vendredi\nÀ : Lea",
        "De: Sam <sam@acme.test>\nEnviado: viernes\nPara: Lea",
        "Da: Sam <sam@acme.test>\nInviato: venerdì\nA: Lea",
        "Van: Sam <sam@acme.test>\nVerzonden: vrijdag\nAan: Lea",
        "*From:* Sam <sam@acme.test>\n*Date:* Friday",
        "-----Original Message-----\nHi",
        "-----Ursprüngliche Nachricht-----\nHi",
    ],
)
def test_what_outlook_puts_above_the_old_mail_ends_the_reply(header: str) -> None:
    assert without_quotes(f"Yes.\n\n{header}\n\nplease unsubscribe") == "Yes."


def test_answers_between_and_below_quotes_stay() -> None:
    text = "On Friday Sam wrote:\n> a question?\nan answer\n> another?\n\nanother answer"

    assert without_quotes(text) == "an answer\n\nanother answer"


@pytest.mark.parametrize(
    "text",
    [
        "On Monday I can. On Tuesday not.\nLea",
        "Our points:\n- price\n- time",
        "From: what I know, yes",
        "--\nLea",
    ],
)
def test_a_person_may_write_like_a_program(text: str) -> None:
    assert without_quotes(text) == text.strip()


def test_nothing_but_a_quote_is_nothing_new() -> None:
    assert without_quotes("> Hi Lea\n> stop") == ""
