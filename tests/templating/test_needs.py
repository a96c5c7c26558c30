"""What a template needs is known without filling it in, and agrees with filling it in."""

from itertools import product
from typing import Any

import pytest

from shared.content import MissingVariable, fill_in, read_template
from shared.templating.variables import is_known, missing, property_of

A, B = "lead.city", "lead.title"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        pytest.param("{{ lead.city }}", {A: []}, id="printed"),
        pytest.param("{{ lead['city'] }}", {A: []}, id="written otherwise"),
        pytest.param("{{ lead.city|upper|title }}", {A: []}, id="filtered"),
        pytest.param("{{ lead.city.upper() }}", {A: []}, id="with a method"),
        pytest.param("{{ lead.areas[0] }}", {"lead.areas": []}, id="an item"),
        pytest.param("{{ lead.custom.a.b }}", {"lead.custom.a.b": []}, id="deep"),
        pytest.param("{{ lead.city|default:'x' }}", {}, id="with a default"),
        pytest.param("{{ lead.city or 'x' }}", {}, id="or"),
        pytest.param("{% if lead.city %}{{ lead.city }}{% endif %}", {}, id="asked before"),
        pytest.param(
            "{% if lead.city %}{{ lead.title }}{% endif %}", {B: [(A, True)]}, id="where it is"
        ),
        pytest.param(
            "{% if not lead.city %}x{% else %}{{ lead.title }}{% endif %}",
            {B: [(A, True)]},
            id="where it is not absent",
        ),
        pytest.param(
            "{% if lead.city is defined %}{{ lead.city }}{% else %}{{ lead.title }}{% endif %}",
            {B: [(A, False)]},
            id="where it is not defined",
        ),
        pytest.param("{{ lead.city|default:lead.title }}", {B: [(A, False)]}, id="second default"),
        pytest.param("{% for a in lead.areas %}{{ a }}{% endfor %}", {"lead.areas": []}, id="loop"),
        pytest.param("{% for a in lead.areas %}{{ a }}{% else %}-{% endfor %}", {}, id="for else"),
        pytest.param("{% set x = lead.city %}{{ x }}", {A: []}, id="by another name"),
        pytest.param("{% set x = lead.city %}{{ x|default:1 }}", {}, id="another name, default"),
        pytest.param("{{ lead.city if lead.city else lead.title }}", {B: [(A, False)]}, id="one"),
        pytest.param("{{ lead.areas|length }}", {}, id="a length"),
    ],
)
def test_needs_are_found(template: str, expected: dict[str, list[tuple[str, bool]]]) -> None:
    found = read_template(template, field="template").needs

    assert {need.variable: sorted(need.when) for need in found} == expected


@pytest.mark.parametrize(
    "template",
    [
        "{{ lead.city }}{{ lead.title|default:lead.role }}",
        "{% if lead.city and lead.title %}{{ lead.role }}{% else %}{{ lead.title }}{% endif %}",
        "{% if lead.city or lead.title %}x{% else %}{{ lead.role }}{% endif %}",
        "{% if lead.city %}a{% elif lead.title %}{{ lead.role }}{% else %}{{ lead.city }}"
        "{% endif %}",
        "{% if not (lead.city or lead.title) %}{{ lead.role }}{% endif %}",
        "{{ lead.city or lead.title or lead.role }}",
        "{% set x = lead.city %}{% if x %}{{ lead.title }}{% endif %}{{ lead.role if x else x }}",
        "{% if lead.city is undefined %}{{ lead.title }}{% endif %}{{ (lead.role or 'x')|upper }}",
        "{% with y = lead.title %}{% if y is defined and not lead.city %}{{ y ~ lead.role }}"
        "{% endif %}{% endwith %}",
    ],
)
def test_what_is_found_agrees_with_every_lead_there_could_be(template: str) -> None:
    compiled = read_template(template, field="template")
    for known in product((None, "x"), repeat=3):
        values: dict[str, dict[str, Any]] = {
            "lead": dict(zip(("city", "title", "role"), known, strict=True))
        }
        try:
            fill_in(compiled, values)
            is_whole = True
        except MissingVariable:
            is_whole = False

        assert (missing(compiled.needs, values) == []) == is_whole, values


def test_every_variable_that_is_named_is_known_of() -> None:
    uses = read_template(
        "{{ lead.custom.plan|default:'' }} {{ sender.name }} {{ lead.nick|default:1 }}", field="t"
    ).uses

    assert uses == {"lead.custom.plan", "sender.name", "lead.nick"}
    assert [name for name in sorted(uses) if not is_known(name)] == ["lead.nick"]


def test_a_property_comes_from_the_leads_own_fields() -> None:
    assert property_of({"property": {"city": "Bath"}, "property_city": "Ely"}) == {"city": "Bath"}
    assert property_of({"property_city": "Ely", "other": 1}) == {"city": "Ely"}
