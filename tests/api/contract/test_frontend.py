"""A TypeScript client is made from the document, type-checks, and does what frontends do."""

import asyncio
import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from api.main import openapi_document
from deploy.sandbox.node import Node, find_node
from shared.config import Settings
from tests.api.contract.conftest import Gateway
from tests.factories import Company

FRONTEND = Path(__file__).parents[2] / "frontend"
MANIFESTS = ("package.json", "package-lock.json")


@pytest.fixture(scope="session")
def node() -> Node:
    return find_node()


async def run(node: Node, folder: Path, *command: str, **environment: str) -> str:
    process = await asyncio.create_subprocess_exec(
        str(node.executable),
        *command,
        cwd=folder,
        env={**os.environ, **node.environment(), **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output = (await process.communicate())[0].decode()
    assert process.returncode == 0, output
    return output


async def install(node: Node) -> Path:
    """The pinned packages, once per version on this machine."""
    digest = hashlib.sha256(b"".join((FRONTEND / name).read_bytes() for name in MANIFESTS))
    cache = Settings(_env_file=None).cache_dir.expanduser()
    folder = cache / f"frontend-{digest.hexdigest()[:12]}"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "frontend.lock"):
        if not (folder / "node_modules" / ".package-lock.json").exists():
            folder.mkdir(exist_ok=True)
            for name in MANIFESTS:
                shutil.copy(FRONTEND / name, folder)
            await run(node, folder, str(node.npm), "ci", "--ignore-scripts", "--no-audit")
    return folder


@pytest.mark.timeout(900)
async def test_a_generated_client_type_checks_and_works(
    gateway: Gateway, company: Company, node: Node, tmp_path: Path
) -> None:
    packages = await install(node)
    (tmp_path / "node_modules").symlink_to(packages / "node_modules")
    for name in ("use.ts", "tsconfig.json"):
        shutil.copy(FRONTEND / name, tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "openapi.json").write_text(json.dumps(openapi_document()))
    programs = packages / "node_modules"
    generator = programs / "openapi-typescript" / "bin" / "cli.js"
    compiler = programs / "typescript" / "bin" / "tsc"

    # Who writes may leave out what has a default.
    flags = ("--output", "schema.d.ts", "--default-non-nullable", "false")
    await run(node, tmp_path, str(generator), "openapi.json", *flags)
    await run(node, tmp_path, str(compiler), "--project", ".")
    await run(
        node,
        tmp_path,
        "use.ts",
        GATEWAY=gateway.url,
        TOKEN=gateway.token,
        COMPANY=str(company.id),
        ACCOUNT=str(company.account_id),
    )


@pytest.mark.parametrize("name", MANIFESTS)
def test_nothing_names_where_the_packages_come_from(name: str) -> None:
    assert "registry" not in (FRONTEND / name).read_text()
    assert "resolved" not in (FRONTEND / name).read_text()
