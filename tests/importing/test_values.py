"""Cells as people write them."""

from typing import Any

import pytest

from shared.importing import values
from shared.importing.headers import combine, plain, problems_of, propose, unique
from shared.importing.regions import region_of, region_of_zone
from shared.importing.values import Unreadable


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("250000", 250_000),
        ("€ 1.250.000", 1_250_000),
        ("1,250,000.00 USD", 1_250_000),
        ("1.250.000,50", 1_250_000),
        ("1 250 000", 1_250_000),
        ("CHF 1'250'000.-", 1_250_000),
        ("500k", 500_000),
        ("1.2m", 1_200_000),
        ("1,5 Mio. €", 1_500_000),
        ("500 Tsd.", 500_000),
        ("2.5 million", 2_500_000),
        ("1,25", 1),
    ],
)
def test_amounts_are_read(cell: str, expected: int) -> None:
    assert values.amount(cell) == expected


@pytest.mark.parametrize("cell", ["", "a lot", "-5", "€ -5", "1e9", "9" * 20, "2024-05"])
def test_what_is_no_amount_is_refused(cell: str) -> None:
    with pytest.raises(Unreadable):
        values.amount(cell)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("300k - 500k", (300_000, 500_000)),
        ("300-500k", (300_000, 500_000)),
        ("300.000 bis 500.000", (300_000, 500_000)),
        ("€1m to €2.5m", (1_000_000, 2_500_000)),
        ("750000", (None, 750_000)),
    ],
)
def test_a_budget_may_be_a_range(cell: str, expected: tuple[int | None, int]) -> None:
    assert values.amounts(cell) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("Berlin -> Munich (2025-03)", [{"from": "Berlin", "to": "Munich", "at": "2025-03"}]),
        ("A => B 2024; B → C", [{"from": "A", "to": "B", "at": "2024"}, {"from": "B", "to": "C"}]),
        ("Munich", [{"to": "Munich"}]),
        ('{"to": "Rome"}', [{"to": "Rome"}]),
        ("Buyer at X -> Head at Y, 2025-01-15", [{"from": "Buyer at X", "to": "Head at Y"}]),
        (" ; -", []),
    ],
)
def test_moves_are_read(cell: str, expected: list[dict[str, Any]]) -> None:
    found = values.moves(cell)
    assert [
        {k: it[k] for k in it if k != "at" or "at" in want}
        for it, want in zip(found, expected, strict=True)
    ] == expected


@pytest.mark.parametrize("cell", ["A -> B -> C", "[1]", "[{", '[{"a": "\\u0000"}]', "A\x00"])
def test_what_is_no_move_is_refused(cell: str) -> None:
    with pytest.raises(Unreadable):
        values.moves(cell)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("a; b|c", ["a", "b", "c"]), ("a, b, a", ["a", "b"]), ('["a, b", "c"]', ["a, b", "c"])],
)
def test_areas_are_read(cell: str, expected: list[str]) -> None:
    assert values.areas(cell) == expected


def test_a_status_is_known_however_it_is_written() -> None:
    assert values.status("Not interested") == "not_interested"
    with pytest.raises(Unreadable, match="is none of new, "):
        values.status("hot")


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("E-Mail", "email"),
        ("EMAIL_ADDRESS", "email"),
        ("Adresse électronique", "email"),
        ("Prénom", "first_name"),
        ("Nachname", "last_name"),
        ("Job Title", "title"),
        ("Empresa", "company_name"),
        ("Person Linkedin Url", "linkedin_url"),
        ("Ciudad", "city"),
        ("Land", "country"),
        ("Teléfono móvil", "phone"),
        ("Имя", "first_name"),
        ("min. budget", "budget_min"),
    ],
)
def test_headers_are_known_in_many_spellings(header: str, field: str) -> None:
    assert propose([header]) == {header: field}


def test_of_two_headers_for_one_field_the_first_has_it() -> None:
    assert propose(["Phone", "Mobile", "Notes"]) == {"Phone": "phone"}


def test_headers_become_unique_and_printable() -> None:
    assert unique(["A", " A ", "", "x\ny\x00"]) == ["A", "A (2)", "Column 3", "x y"]


def test_a_wish_takes_the_field_from_the_proposal() -> None:
    headers = ["Mail", "Other"]
    chosen = combine({"Mail": "email"}, {"OTHER": "email"}, headers)
    assert chosen == {"Other": "email"}
    assert "The file has no column 'Mial'" in problems_of({"Mial": "email"}, headers)[0]


def test_names_are_compared_without_case_accents_and_marks() -> None:
    assert plain("É-mail_ Adresse") == "emailadresse"


@pytest.mark.parametrize(
    ("country", "region"),
    [("de", "DE"), ("Deutschland", "DE"), ("États-Unis", "US"), ("UK", "GB"), ("Nowhere", None)],
)
def test_countries_are_known_by_their_names(country: str, region: str | None) -> None:
    assert region_of(country) == region


def test_a_time_zone_names_its_country() -> None:
    assert (region_of_zone("Europe/Berlin"), region_of_zone("UTC")) == ("DE", None)
