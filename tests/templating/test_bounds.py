"""No template can hang a worker, fill its memory, or reach what it was not given."""

from typing import Any

import pytest

from shared.content import MissingVariable, check_template, fill_in, read_template, render
from shared.errors import Invalid
from shared.templating.bounds import LONGEST_OUTPUT
from tests.costs import cost

# What is not bounded costs thousands of yardsticks, or never ends.
HIGHEST_COST = 400
LEAD: dict[str, dict[str, Any]] = {
    "lead": {
        "text": "a" * 20_000,
        "areas": ["x" * 100] * 200,
        "jobs": [{"title": "x"}] * 200,
        "custom": {"long": "é" * 100_000, "marks": '"<&' * 7_000},
    }
}
LOOP, END = "{% for a in lead.areas %}", "{% endfor %}"
HOSTILE = {
    "a power": "{{ 9**9**9 }}",
    "a long text at once": "{{ 'a' * 1000000000 }}",
    "a text that doubles": "{% set x = 'aaaa' %}" + "{% set x = x ~ x %}" * 60 + "{{ x }}",
    "a sum that doubles": "{% set x = 'aaaa' %}" + "{% set x = x + x %}" * 60 + "{{ x }}",
    "a number that squares": "{% set x = 9 %}" + "{% set x = x * x %}" * 60 + "{{ x }}",
    "a list that doubles": "{% set x = [1] %}" + "{% set x = [x, x] %}" * 60 + "{{ x }}",
    "loops in loops": LOOP * 2 + "x" + END * 2,
    "three loops": LOOP * 3 + "x" + END * 3,
    "work in loops": LOOP * 2 + "{{ (lead.text|upper)[:1] }}" + END * 2,
    "a search in loops": LOOP * 2 + "{{ 'b' in lead.text }}" + END * 2,
    "a long range": "{% for a in range(99999999) %}x{% endfor %}",
    "a loop in itself": "{% for a in lead.areas recursive %}{{ loop(lead.areas) }}{% endfor %}",
    "a macro in itself": "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
    "parentheses": "{{ " + "(" * 20_000 + "1" + ")" * 20_000 + " }}",
    "nots": "{{ " + "not " * 20_000 + "1 }}",
    "nested ifs": "{% if 1 %}" * 500 + "{% endif %}" * 500,
    "many branches": "{% if 1 %}" + "{% elif 1 %}" * 4_000 + "{% endif %}",
    "a wide format": "{{ '%1000000000d' % 1 }}",
    "a wide format by call": "{{ '{:>1000000000}'.format(1) }}",
    "many places": "{{ 1|floatformat:1000000000 }}",
    "a large exponent": "{{ '1e999999999'|floatformat:2 }}",
    "a text for each letter": "{{ lead.text|replace('a', lead.text) }}",
    "a text between all": "{{ lead.areas|join:lead.text }}",
    "many filters": "{{ lead.text" + "|upper" * 4_000 + " }}",
    "a long number": "{{ " + "9" * 90_000 + " }}",
    "lists in lists": "{{ " + "[" * 5_000 + "]" * 5_000 + " }}",
    "a long comparison": "{{ " + "lead.text == " * 4_000 + "1 }}",
    "a long sum": "{{ 1" + "+1" * 4_900 + " }}",
    "a lot of output": "{{ lead.custom.long }}" * 10,
    "a lot to escape": "<b>{{ lead.custom.marks }}</b>" * 20,
    "open braces": "{{" * 45_000,
    "open comments": "{#" * 45_000,
    "a tag of spaces": "{%" + " " * 90_000,
    "open elements": "<div " * 20_000,
    "a wide date": "{{ '2020-01-01'|date:'%9999999Y' }}",
    "a file": "{% include '/etc/passwd' %}",
    "a module": "{% import 'os' as os %}",
    "a block that is kept": "{% set x %}{{ lead.text }}{% endset %}",
}


@pytest.mark.parametrize("template", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_template_ends_soon_with_little_or_nothing(template: str) -> None:
    assert cost(lambda: shown_or_refused(template)) < HIGHEST_COST
    assert len(shown_or_refused(template)) <= LONGEST_OUTPUT


def shown_or_refused(template: str) -> str:
    try:
        return render(template, LEAD)
    except (Invalid, MissingVariable) as refusal:
        return str(refusal)


@pytest.mark.parametrize(
    "expression",
    [
        "lead.text.__class__",
        "''.__class__.__mro__",
        "lead['__class__']",
        "lead.values",
        "lead.path",
        "self._TemplateReference__context",
        "cycler.__init__.__globals__",
        "lipsum",
        "range",
        "dict",
        "namespace",
        "loop",
        "lead.text.format",
        "lead.areas.append",
    ],
)
def test_nothing_but_the_values_can_be_reached(expression: str) -> None:
    with pytest.raises(MissingVariable):
        render("{{ " + expression + " }}", LEAD)


def test_no_attribute_can_be_called() -> None:
    for call in ("lead.text.format(1)", "lead.areas.append(1)", "lead()", "''.join(lead.areas)"):
        with pytest.raises(Invalid, match="calls nothing"):
            check_template("{{ " + call + " }}", field="template")


def test_the_bounds_leave_room_for_a_long_letter() -> None:
    letter = "{{ lead.text }} {% for a in lead.areas %}{{ a|upper }}, {% endfor %}" * 3

    assert len(render(letter, LEAD)) > 100_000


def test_the_same_template_always_ends_the_same() -> None:
    """Work is counted and not timed, so that a preview tells what the mail will be."""
    template = read_template(LOOP + "{{ a|upper|lower|title }}" + END, field="template")

    assert len({fill_in(template, LEAD) for _ in range(5)}) == 1


def test_a_template_is_compiled_once() -> None:
    first = read_template("Hello {{ lead.first_name }}", field="template")

    assert read_template("Hello {{ lead.first_name }}", field="template") is first
