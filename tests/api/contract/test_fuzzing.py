"""Schemathesis reads the document and calls a running gateway: it has to answer as it says.

`make fuzz` asks for 2,000 examples, and `make fuzz FUZZ_SEED=2` for others.
"""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from api.main import openapi_document
from shared.db.session import Database
from tests.api.contract.conftest import Gateway, make_ids
from tests.factories import Company

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "150"))
SEED = os.environ.get("FUZZ_SEED")
# Those that go through every limit of every field by themselves are thousands.
MANY = 2_000
PHASES = "examples,coverage,fuzzing,stateful" if EXAMPLES >= MANY else "examples,fuzzing"
SECONDS = 1_800
CHECKS = Path(__file__).with_name("schemathesis.toml")


@pytest.mark.timeout(SECONDS)
async def test_the_gateway_answers_as_its_document_says(
    gateway: Gateway, company: Company, database: Database, tmp_path: Path
) -> None:
    config = tmp_path / "schemathesis.toml"
    checks = CHECKS.read_text(encoding="utf-8")
    if SEED:
        checks = checks.replace("deterministic = true", "deterministic = false")
    config.write_text(checks + await parameters(company, database))
    operations = len(await asyncio.to_thread(operation_ids))
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), f"--config-file={config}", "run"),
        *(f"{gateway.url}/openapi.json", "--header", f"Authorization: Bearer {gateway.token}"),
        *("--max-examples", str(_for_each(operations)), f"--phases={PHASES}", "--no-color"),
        *(("--seed", SEED) if SEED else ()),
    ]
    report = tmp_path / "report.txt"
    with report.open("wb") as writing:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=tmp_path, stdout=writing, stderr=asyncio.subprocess.STDOUT
        )
        await process.wait()
    output = report.read_text(encoding="utf-8")

    assert process.returncode == 0, output[-20_000:]
    made = re.search(r"(\d+) generated", output)
    assert made, output
    assert int(made[1]) >= EXAMPLES, output


def operation_ids() -> list[str]:
    return [
        operation["operationId"]
        for operations in openapi_document()["paths"].values()
        for operation in operations.values()
    ]


def _for_each(operations: int) -> int:
    """Many come from the other phases, so that two of each are enough then."""
    return 2 if EXAMPLES >= MANY else max(1, -(-EXAMPLES // operations))


async def parameters(company: Company, database: Database) -> str:
    """Ids that are there; what is deleted has rows of its own."""
    kept, lost = [await make_ids(company, database) for _ in range(2)]
    own = {"company_id": str(company.id), "account_id": str(company.account_id)}
    return (
        f"\n[parameters]\n{_lines(kept | own)}"
        f'\n[[operations]]\ninclude-method = "DELETE"\n[operations.parameters]\n{_lines(lost)}'
    )


def _lines(ids: dict[str, str]) -> str:
    return "\n".join(f'"path.{name}" = "{value}"' for name, value in ids.items())
