"""One spelling per address; the short ways answer what the libraries would."""

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.importing.addresses import NoAddress, normal_email, normal_phone, normal_profile

ATOMS = st.text(st.sampled_from("abzAZ019_-+.%'ü @"), min_size=1, max_size=12)
LABELS = st.text(st.sampled_from("abzAZ09-_ß"), min_size=1, max_size=8)
ENDINGS = st.sampled_from(
    ["com", "co.uk", "test", "local", "example", "c", "1x", "xn--p1ai", "онлайн"]
)


@st.composite
def addresses(draw: st.DrawFn) -> str:
    """Near enough to an address that the two could disagree."""
    domain = ".".join([*draw(st.lists(LABELS, min_size=0, max_size=5)), draw(ENDINGS)])
    local = draw(ATOMS) * draw(st.sampled_from([1, 1, 1, 6]))
    return f"{local}@{domain}"


def by_the_library(value: str) -> str | None:
    try:
        found = validate_email(value.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return None
    return found.normalized.lower()


@settings(max_examples=1_500, deadline=None)
@given(value=addresses())
@example(value="a.b@x--y.com")
@example(value="a@" + ".".join(["a" * 20 + "-" + "b" * 20 + "-" + "c" * 20] * 4) + ".com")
@example(value="a" * 64 + "@" + "b" * 20 + ".com")
@example(value="a" * 65 + "@example.com")
@example(value="A@B.COM\n")
@example(value="a@b.com ")
@example(value="a@localhost")
@example(value="a@b.arpa")
@example(value="-a@b.com")
def test_an_email_address_is_judged_as_the_library_judges_it(value: str) -> None:
    try:
        ours: str | None = normal_email(value)
    except NoAddress:
        ours = None
    assert ours == by_the_library(value)


CODES = st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
DIGITS = st.text(st.sampled_from("0123456789"), min_size=3, max_size=13)


@settings(max_examples=1_500, deadline=None)
@given(code=CODES, digits=DIGITS)
@example(code=39, digits="0612345678")
@example(code=44, digits="02079460000")
@example(code=52, digits="15512345678")
@example(code=54, digits="91123456789")
@example(code=1, digits="12025550100")
def test_a_phone_number_is_judged_as_the_library_judges_it(code: int, digits: str) -> None:
    value = f"+{code}{digits}"
    theirs = None
    try:
        found = phonenumbers.parse(value, None)
        if phonenumbers.is_possible_number(found):
            theirs = phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)
    except phonenumbers.NumberParseException:
        pass
    try:
        ours: str | None = normal_phone(value)
    except NoAddress:
        ours = None
    assert ours == theirs


@pytest.mark.parametrize(
    ("value", "region", "expected"),
    [
        ("0049 (30) 123-456", None, "+4930123456"),
        ("+44 (0)20 7946 0000", None, "+442079460000"),
        ("030/1234567", "DE", "+49301234567"),
        ("'+49 30 1234567", None, "+49301234567"),
        ("(202) 555-0100 ext. 12", "US", "+12025550100"),
        ("030/123456", None, "030123456"),
    ],
)
def test_phone_numbers_as_people_write_them(value: str, region: str | None, expected: str) -> None:
    assert normal_phone(value, region=region) == expected


@pytest.mark.parametrize("value", ["", "call me", "12", "+", "4.9E+11", "+49 30 12345678901234567"])
def test_what_is_no_phone_number_is_refused(value: str) -> None:
    with pytest.raises(NoAddress, match="phone number"):
        normal_phone(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://www.linkedin.com/in/Ada-L/", "/in/ada-l"),
        ("uk.linkedin.com/in/Ada/?trk=x#top", "/in/ada"),
        (" http://LinkedIn.com/in/ada ", "/in/ada"),
        ("https://www.linkedin.com/in/zo%C3%AB", "/in/zo%c3%ab"),
        ("linkedin.com/sales/lead/ACw,1", "/sales/lead/acw,1"),
    ],
)
def test_one_spelling_per_profile(value: str, expected: str) -> None:
    assert normal_profile(value) == f"https://www.linkedin.com{expected}"


@pytest.mark.parametrize(
    "value", ["", "ada", "https://linkedin.com", "https://evil.test/linkedin.com/in/a", "http://[x"]
)
def test_what_is_no_profile_is_refused(value: str) -> None:
    with pytest.raises(NoAddress, match="LinkedIn"):
        normal_profile(value)
