"""A template never sends a hole."""

import pytest

from shared.content import MissingVariable, check_template, render
from shared.errors import Invalid

ADA = {"lead": {"first_name": "Ada", "city": None, "custom": {"plan": "gold"}}}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        pytest.param("Hello {{ lead.first_name }}", "Hello Ada", id="a field"),
        pytest.param("{{ lead.custom.plan }}", "gold", id="a field of their own"),
        pytest.param("{{ lead.city | default('there') }}", "there", id="a default fills the gap"),
        pytest.param("{% if lead.city %}x{% else %}y{% endif %}", "y", id="a gap is false"),
        pytest.param("Héllo ☃ {{ lead.first_name }}\n", "Héllo ☃ Ada", id="any script"),
    ],
)
def test_a_template_is_filled_in(template: str, expected: str) -> None:
    assert render(template, ADA) == expected


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("{{ lead.city }}", id="a field without a value"),
        pytest.param("{{ lead.nickname }}", id="a field that nobody has"),
        pytest.param("{{ stranger.name }}", id="an unknown variable"),
        pytest.param("{{ lead.first_name.__class__ }}", id="a way out of the sandbox"),
    ],
)
def test_a_gap_is_an_error_and_never_a_hole(template: str) -> None:
    with pytest.raises(MissingVariable):
        render(template, ADA)


def test_a_template_that_cannot_be_read_names_its_field_and_line() -> None:
    with pytest.raises(Invalid, match="line 2") as raised:
        check_template("fine\n{{ lead.", field="message_template")

    assert raised.value.field == "message_template"
