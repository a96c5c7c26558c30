"""Files of leads, read by the process that reads them, into a real table."""

import pytest

from shared.db.models import JobStatus
from shared.db.repositories import imports
from shared.importing.rows import COLUMNS, EXTRA
from shared.keyring import Keyring
from shared.suppression import lead_keys
from tests.activities.files import Import, counts, leads_of, refused_of
from tests.factories import Company


def test_the_lines_have_the_columns_of_the_table_that_takes_them() -> None:
    assert (*COLUMNS, *EXTRA) == (*imports.COLUMNS, *imports.EXTRA)


async def test_every_kind_of_field_is_read(
    take_in: Import, company: Company, keyring: Keyring
) -> None:
    header = """Vorname;Nachname;E-Mail-Adresse;Telefon;LinkedIn;Firma;Stadt;Land;Score;Budget
    Stadtteile;Umzüge;Jobwechsel;Zeitzone;Einwilligung;Hobby""".replace("\n    ", ";")
    row = (
        'Ada;"Love\nlace";Ada.Lovelace@Example.COM;(030) 123-4567;uk.linkedin.com/in/Ada/?trk=x;'
        "Engines \\ Söhne;Berlin;Deutschland;85 %;300k - 1.2m;Mitte; Prenzlauer Berg\n"
    )
    row = row.replace("Mitte; Prenzlauer Berg\n", '"Mitte; Prenzlauer Berg, Ost";')
    row += '"Berlin -> München (2025-03); München → Paris";"[{""from"": ""A"", ""to"": ""B""}]";'
    row += "Europe/Berlin;Messe 2025;Looms"

    job = await take_in(f"{header}\n{row}\n".encode())

    assert (job.status, counts(job), job.errors) == (JobStatus.COMPLETED, (1, 0, 0), [])
    [lead] = await leads_of(company)
    assert (lead.first_name, lead.last_name) == ("Ada", "Love lace")
    assert lead.email == "ada.lovelace@example.com"
    assert lead.phone == "+49301234567"
    assert lead.linkedin_url == "https://www.linkedin.com/in/ada"
    assert (lead.company_name, lead.city, lead.country) == (
        "Engines \\ Söhne",
        "Berlin",
        "Deutschland",
    )
    assert (lead.fit_score, lead.budget_min, lead.budget_max) == (85, 300_000, 1_200_000)
    assert lead.areas == ["Mitte", "Prenzlauer Berg, Ost"]
    assert lead.location_moves == [
        {"from": "Berlin", "to": "München", "at": "2025-03"},
        {"from": "München", "to": "Paris"},
    ]
    assert lead.job_changes == [{"from": "A", "to": "B"}]
    assert (lead.time_zone, lead.consent) == ("Europe/Berlin", "Messe 2025")
    assert lead.custom == {"Hobby": "Looms"}
    assert lead.suppression_keys == lead_keys(
        keyring, email=lead.email, phone=lead.phone, linkedin_url=lead.linkedin_url
    )


@pytest.mark.parametrize(
    ("content", "created", "refused"),
    [
        pytest.param("Email\na@b.com\n\n\n,\nc@d.com", 2, [], id="blank lines"),
        pytest.param("Email,City\na@b.com\nc@d.com,Oslo,,\n", 2, [], id="ragged, nothing lost"),
        pytest.param(
            "Email,City\na@b.com,Oslo,7\n", 0, [(2, "The row has 3 cells")], id="too wide"
        ),
        pytest.param("Email,Email\na@b.com,c@d.com\n", 1, [], id="a header twice"),
        pytest.param("sep=;\nEmail;City\na@b.com;Oslo\n", 1, [], id="Excel's own first line"),
        pytest.param("a@b.com,Ada\nc@d.com,Eve\n", 2, [], id="no header"),
        pytest.param("Email,Name\na@b.com,A\x00B\nc@d.com,C\n", 1, [(2, "Name holds")], id="a NUL"),
        pytest.param(
            "Email,Notes\na@b.com," + "x" * 100_000 + "\nc@d.com,y\n",
            1,
            [(2, "Notes is longer than 10,000")],
            id="a huge cell",
        ),
        pytest.param(
            'Email,Name\na@b.com,"A\nc@d.com,C\ne@f.com,E\n',
            2,
            [(2, "The row has a quotation mark that is never closed")],
            id="a quotation mark that stays open",
        ),
        pytest.param('Email,Name\na@b.com,5" pipe\n', 1, [], id="a quotation mark inside"),
        pytest.param("Email,Name\na@b.com,A\rB\n", 1, [], id="a carriage return inside"),
        pytest.param(
            "Email,Fit Score\na@,1\nb@c.com,101\nd@e.com,x\nf@g.com,7\n",
            1,
            [
                (2, "Email is no such"),
                (3, "Fit Score is not between"),
                (4, "Fit Score is no number"),
            ],
            id="cells that cannot be read",
        ),
        pytest.param("Email,City\n,Oslo\n", 0, [(2, "The row names nobody")], id="nobody"),
        pytest.param("Email,City\n", 0, [], id="a header only"),
    ],
)
async def test_nasty_files_lose_nothing(
    *, take_in: Import, company: Company, content: str, created: int, refused: list[tuple[int, str]]
) -> None:
    job = await take_in(content.encode())

    found = await refused_of(company)
    assert job.status == JobStatus.COMPLETED, job.errors
    assert counts(job) == (created, 0, len(refused)), found
    assert [n for n, _ in found] == [n for n, _ in refused]
    for (_, reason), (_, begin) in zip(found, refused, strict=True):
        assert reason.startswith(begin)
    assert [error["number"] for error in job.errors] == [n for n, _ in refused]
    assert job.result_url == (f"/api/tasks/{job.id}/refused" if refused else None)
    assert job.total == job.processed == created + len(refused)


@pytest.mark.parametrize(
    "content", [pytest.param(b"", id="empty"), pytest.param(b" \n\n ", id="blank"), b"\xef\xbb\xbf"]
)
async def test_a_file_without_anything_fails_and_says_so(take_in: Import, content: bytes) -> None:
    job = await take_in(content)

    assert job.status == JobStatus.FAILED
    assert "export it again" in job.errors[0]["message"]


async def test_bytes_that_are_no_text_refuse_their_row_alone(
    take_in: Import, company: Company
) -> None:
    lines = [f"a{n}@example.com,Zoë".encode() for n in range(20)]
    lines[7] = b"a7@example.com,Zo\xeb"

    job = await take_in(b"Email,Name\n" + b"\n".join(lines))

    assert counts(job) == (19, 0, 1)
    assert (await refused_of(company)) == [
        (9, "Name has bytes that are no text in the encoding of the file")
    ]
