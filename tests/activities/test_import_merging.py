"""Rows of a file meet the leads that are there."""

from shared.keyring import Keyring
from shared.suppression import lead_keys
from tests.activities.files import Import, as_csv, counts, leads_of
from tests.factories import Company


async def test_later_values_win_and_nothing_is_emptied(
    take_in: Import, company: Company, keyring: Keyring
) -> None:
    header = "Email,City,Role,Areas,Consent,Status,Hobby,Phone"
    first = f"{header}\na@b.com,Oslo,Buyer,North;East,Fair,interested,Looms,+4930123456\n"
    second = f"{header}\nA@B.com,Paris,,East;West,Web,new,,+4930999999\n"

    await take_in(first.encode())
    job = await take_in(second.encode())

    [lead] = await leads_of(company)
    assert counts(job) == (0, 1, 0)
    assert (lead.city, lead.role, lead.phone) == ("Paris", "Buyer", "+4930999999")
    assert lead.areas == ["North", "East", "West"]
    assert (lead.consent, lead.status, lead.custom) == ("Fair", "interested", {"Hobby": "Looms"})
    assert lead.suppression_keys == lead_keys(keyring, email="a@b.com", phone="+4930999999")


async def test_the_same_lead_twice_in_a_file_is_one(take_in: Import, company: Company) -> None:
    rows = [["Email", "City", "Areas"]]
    rows += [[f"lead{n % 150}@example.com", f"City {n}", f"Area {n // 150}"] for n in range(450)]

    job = await take_in(as_csv(rows).encode())

    leads = await leads_of(company)
    assert counts(job) == (150, 300, 0)
    assert [lead.city for lead in leads] == [f"City {n}" for n in range(300, 450)]
    assert {tuple(lead.areas) for lead in leads} == {("Area 0", "Area 1", "Area 2")}


async def test_a_row_without_an_address_finds_its_lead_by_profile_or_phone(
    take_in: Import, company: Company, keyring: Keyring
) -> None:
    text = """Email,LinkedIn,Phone,City,Role
a@b.com,linkedin.com/in/ada,+4930111111,,
,linkedin.com/in/ada,,Oslo,
,,+4930111111,,Buyer
,linkedin.com/in/eve,+4930222222,Rome,
,,+4930222222,Bonn,
,,+4930333333,Bern,
"""
    job = await take_in(text.encode())
    again = await take_in(text.encode())

    leads = await leads_of(company)
    assert [(it.email, it.city, it.role) for it in leads] == [
        ("a@b.com", "Oslo", "Buyer"),
        (None, "Bonn", None),
        (None, "Bern", None),
    ]
    assert (counts(job), counts(again)) == ((3, 3, 0), (0, 6, 0))
    for lead in leads:
        keys = lead_keys(
            keyring, email=lead.email, phone=lead.phone, linkedin_url=lead.linkedin_url
        )
        assert lead.suppression_keys == keys


async def test_another_companys_leads_are_not_touched(
    take_in: Import, company: Company, stranger: Company
) -> None:
    await stranger.make_lead(email="a@b.com")

    job = await take_in(b"Email,City\na@b.com,Oslo\n")

    assert counts(job) == (1, 0, 0)
    [theirs] = await leads_of(stranger)
    assert theirs.city is None


async def test_what_somebody_wants_overrides_the_proposal(
    take_in: Import, company: Company
) -> None:
    job = await take_in(
        b"Email,Contact,Remark,Secret\na@b.com,Ada,Likes tea,x\n",
        wanted={"contact": "first_name", "Remark": "custom", "Secret": None},
    )

    [lead] = await leads_of(company)
    assert (lead.first_name, lead.name, lead.custom) == ("Ada", None, {"Remark": "Likes tea"})
    assert job.more["mapping"] == {
        "Email": "email",
        "Contact": "first_name",
        "Remark": "custom",
        "Secret": "",
    }


async def test_columns_that_nobody_knows_may_be_left_out(take_in: Import, company: Company) -> None:
    await take_in(b"Email,Hobby\na@b.com,Looms\n", keeps_unmapped=False)

    assert [lead.custom for lead in await leads_of(company)] == [{}]


async def test_a_national_number_needs_a_country(take_in: Import, company: Company) -> None:
    text = "Email,Phone,Country\na@b.com,030 1234567,DE\nc@d.com,06 12 34 56 78,\n"

    await take_in(text.encode(), region="FR")

    assert [it.phone for it in await leads_of(company)] == ["+49301234567", "+33612345678"]
