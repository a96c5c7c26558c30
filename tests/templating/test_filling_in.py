"""What people write, and what comes of it."""

from typing import Any

import pytest

from shared.content import MissingVariable, check_template, render
from shared.errors import Invalid

Values = dict[str, dict[str, Any]]
ADA: Values = {
    "lead": {
        "first_name": "Ada",
        "name": "ada o'brien",
        "city": None,
        "budget_max": 1_234_567,
        "fit_score": 34.26,
        "areas": ["Mitte", "Wedding", "Moabit"],
        "job_changes": [{"title": "CTO"}],
        "empty": [],
        "custom": {"plan": "gold", "nested": {"deep": "found"}},
    },
    "campaign": {"created_at": "2026-11-21"},
}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        pytest.param("{{ lead.budget_max|floatformat:0 }}", "1234567", id="Django's own form"),
        pytest.param("{{ lead.budget_max|floatformat(0) }}", "1234567", id="Jinja's form"),
        pytest.param('{{ lead.budget_max|floatformat:"2g" }}', "1,234,567.00", id="grouped"),
        pytest.param("{{ lead.fit_score|floatformat }}", "34.3", id="one place if it needs one"),
        pytest.param("{{ 34.0|floatformat }}", "34", id="none if it needs none"),
        pytest.param("{{ 34.26|floatformat:-3 }}", "34.260", id="a negative number of places"),
        pytest.param("{{ lead.budget_max|intcomma }}", "1,234,567", id="thousands"),
        pytest.param("{{ lead.name|title }}", "Ada O'brien", id="capitals"),
        pytest.param("{{ lead.city|default:'there' }}", "there", id="a default with a colon"),
        pytest.param("{{ lead.city|default:lead.first_name }}", "Ada", id="a variable as default"),
        pytest.param("{{ lead.city|default:'a'|upper }}", "A", id="filters behind each other"),
        pytest.param("{{ lead.areas }}", "Mitte, Wedding and Moabit", id="a list"),
        pytest.param('{{ lead.areas|sentence:"und" }}', "Mitte, Wedding und Moabit", id="und"),
        pytest.param('{{ lead.areas|join:" / " }}', "Mitte / Wedding / Moabit", id="joined"),
        pytest.param("{{ lead.areas[0] }}", "Mitte", id="an item"),
        pytest.param("{{ lead.job_changes[0].title }}", "CTO", id="a field of an item"),
        pytest.param("{{ lead.custom.nested.deep }}", "found", id="deep inside"),
        pytest.param("{{ lead.custom['plan'] }}", "gold", id="by a text"),
        pytest.param("{{ lead.first_name.upper() }}", "ADA", id="a harmless method"),
        pytest.param("{{ lead.first_name ~ 7 }}", "Ada7", id="texts together"),
        pytest.param("{{ lead.budget_max / 2 + 0.5 }}", "617284.0", id="arithmetic"),
        pytest.param("{{ campaign.created_at|date:'j F Y' }}", "21 November 2026", id="a date"),
        pytest.param("{{ 2 }} bed{{ 2|pluralize }}", "2 beds", id="many"),
        pytest.param("{{ lead.first_name|truncatechars:2 }}", "A…", id="cut"),
        pytest.param("{{ lead.empty|length }}", "0", id="nothing has no length"),
        pytest.param(
            "{% for a in lead.areas %}{{ loop.index }}{{ a[0] }}{% endfor %}", "1M2W3M", id="a loop"
        ),
        pytest.param("{% for a in lead.empty %}x{% else %}none{% endfor %}", "none", id="for else"),
        pytest.param("{% set x = lead.first_name %}{{ x }}", "Ada", id="a name of its own"),
        pytest.param("{% raw %}{{ x }}{% endraw %}{# c #}", "{{ x }}", id="raw"),
        pytest.param("a\r\nb", "a\nb", id="line ends"),
    ],
)
def test_a_template_comes_out_as_its_writer_means_it(template: str, expected: str) -> None:
    assert render(template, ADA) == expected


@pytest.mark.parametrize(
    ("template", "names"),
    [
        pytest.param("{{ lead.city }}", "lead.city", id="no value"),
        pytest.param("{{ lead.empty }}", "lead.empty", id="an empty list"),
        pytest.param("{% for a in lead.empty %}x{% endfor %}", "lead.empty", id="a loop of none"),
        pytest.param("{{ lead.city|upper }}", "lead.city", id="under a filter"),
        pytest.param("{{ lead.city == 'x' }}", "lead.city", id="compared"),
        pytest.param("{{ lead.city.name }}", "lead.city", id="asked for more"),
        pytest.param("{{ lead.custom.gone }}", "lead.custom.gone", id="of one's own"),
        pytest.param("{{ lead.custom }}", "lead.custom", id="a whole group"),
        pytest.param("{{ lead.areas[7] }}", "item", id="beyond the end"),
        pytest.param("{{ lead.first_name|floatformat:2 }}", "number", id="no number"),
        pytest.param("{{ lead.first_name < 7 }}", "do not fit", id="a text and a number"),
        pytest.param("{{ 1 / 0 }}", "zero", id="divided by zero"),
    ],
)
def test_what_has_no_value_is_named(template: str, names: str) -> None:
    with pytest.raises(MissingVariable, match=names):
        render(template, ADA)


@pytest.mark.parametrize(
    ("template", "place", "message"),
    [
        pytest.param("fine\n  {{ lead. }}", "line 2, column 12", "name", id="an unfinished name"),
        pytest.param("{{ a b }}", "line 1, column 6", "'b'", id="a word too many"),
        pytest.param("x\n\n {{ a|nothing }}", "line 3, column 7", "nothing", id="no such filter"),
        pytest.param("{{ a is odd2 }}", "line 1, column 6", "odd2", id="no such test"),
        pytest.param("{{ $ }}", "line 1, column 4", r"\$", id="a strange sign"),
        pytest.param("{%- if a -%}\n x", "line 2, column 2", "endif", id="no end"),
        pytest.param("{{ a|floatformat: }}", "line 1, column 19", "colon", id="no argument"),
        pytest.param("ä\r\n{{ 'é' }} {{ f(1) }}", "line 2, column 15", "filter", id="a call"),
    ],
)
def test_a_mistake_is_found_with_its_line_and_column(
    template: str, place: str, message: str
) -> None:
    with pytest.raises(Invalid, match=message) as raised:
        check_template(template, field="message_template")

    assert str(raised.value).startswith(place)
    assert raised.value.field == "message_template"


def test_what_a_lead_brings_into_html_stays_text() -> None:
    lead = {"lead": {"name": "<img src=x onerror=1>", "areas": ["<b>", "&"]}}

    shown = render("<p title='{{ lead.name }}'>{{ lead.areas }} {{ lead.name|upper }}</p>", lead)

    assert "<img" not in shown.lower()
    assert "&lt;b&gt; and &amp;" in shown


def test_plain_text_is_not_taken_for_html() -> None:
    lead = {"lead": {"name": "A & B <a@b.test>"}}

    assert render("1 < 2 and a <b@c.test> & {{ lead.name }}", lead).endswith("A & B <a@b.test>")
