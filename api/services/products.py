"""What a company offers: a document, and the text that it holds."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer
from uuid_utils.compat import uuid7

from api.callers import Caller
from api.documents import FIELD, DocumentReader
from api.services.versions import must_match
from shared.db.models import ProductRow
from shared.db.session import Database
from shared.errors import Conflict, Invalid, NotFound
from shared.storage import Storage

LONGEST_NAME = 200
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file as it was sent; `name` is what the sender calls it."""

    name: str
    content: bytes


class ProductService:
    def __init__(self, *, database: Database, storage: Storage, documents: DocumentReader) -> None:
        self._database = database
        self._storage = storage
        self._documents = documents

    async def create(self, caller: Caller, upload: Upload, fields: Mapping[str, Any]) -> ProductRow:
        """Read the document, keep the file, then write the row that names it."""
        product = ProductRow(id=uuid7(), created_by=caller.user_id, **fields)
        read = await self._take_in(caller, product.id, upload)
        _fill(product, read)
        if product.product_name is None:
            product.product_name = PurePosixPath(product.file_name).stem or product.file_name
        try:
            async with self._database.company_session(caller.company_id) as session:
                session.add(product)
        except Exception:
            await self._storage.delete(product.file_key)
            raise
        return product

    async def list_products(
        self, caller: Caller, *, limit: int, after: UUID | None, is_deleted_included: bool
    ) -> Sequence[ProductRow]:
        """Newest first, one more than asked for if there are more."""
        query = select(ProductRow).order_by(ProductRow.id.desc()).limit(limit + 1)
        if not is_deleted_included:
            query = query.where(ProductRow.deleted_at.is_(None))
        if after:
            query = query.where(ProductRow.id < after)
        async with self._database.company_session(caller.company_id) as session:
            return (await session.scalars(query)).all()

    async def get(self, caller: Caller, product_id: UUID) -> ProductRow:
        """With its text, also when it was deleted: campaigns made with it name it."""
        async with self._database.company_session(caller.company_id) as session:
            return await _get(session, product_id, is_whole=True)

    async def open_file(
        self, caller: Caller, product_id: UUID
    ) -> tuple[ProductRow, AsyncIterator[bytes]]:
        """The document as it was uploaded. Raises Conflict when storage has lost it."""
        async with self._database.company_session(caller.company_id) as session:
            product = await _get(session, product_id)
        try:
            await self._storage.size(product.file_key)
        except NotFound:
            raise Conflict("The file is not there any more: upload it again") from None
        return product, self._storage.open(product.file_key)

    async def change(
        self,
        caller: Caller,
        product_id: UUID,
        fields: Mapping[str, Any],
        upload: Upload | None,
        *,
        expected: str | None,
    ) -> ProductRow:
        async with self._database.company_session(caller.company_id) as session:
            must_match(await _get_offered(session, product_id), expected)
        read = await self._take_in(caller, product_id, upload) if upload else {}
        try:
            async with self._database.company_session(caller.company_id) as session:
                product = await _get_offered(session, product_id, is_locked=True)
                must_match(product, expected)
                replaced = product.file_key
                _fill(product, {**fields, **read})
                await session.flush()
                await session.refresh(product)
        except Exception:
            await self._forget(read.get("file_key"))
            raise
        if upload:
            await self._forget(replaced)
        return product

    async def delete(self, caller: Caller, product_id: UUID) -> None:
        """Hide it; running campaigns go on with it. Deleting twice is the same."""
        async with self._database.company_session(caller.company_id) as session:
            await _get(session, product_id)
            await session.execute(
                update(ProductRow)
                .where(ProductRow.id == product_id, ProductRow.deleted_at.is_(None))
                .values(deleted_at=datetime.now(UTC))
            )

    async def _take_in(self, caller: Caller, product_id: UUID, upload: Upload) -> dict[str, Any]:
        """The columns that come from the file. Every file has a key of its own."""
        name = _own_name(upload.name)
        document = await self._documents.read(name, upload.content)
        key = f"product-files/{caller.company_id}/{product_id}/{uuid7()}.{document.kind}"
        await self._storage.put(key, _pieces(upload.content))
        return {
            "file_name": name,
            "file_key": key,
            "file_size": len(upload.content),
            "kind": document.kind,
            "text": document.text,
            "text_length": len(document.text),
        }

    async def _forget(self, key: str | None) -> None:
        if key:
            await self._storage.delete(key)


async def must_be_offered(session: AsyncSession, product_id: UUID | None) -> None:
    """What a campaign may take up. Raises Invalid for no product, Conflict for a deleted one."""
    if product_id is None:
        return
    product = await session.get(ProductRow, product_id)
    if product is None:
        raise Invalid(f"Product {product_id} is not there", field="product_id")
    _refuse_deleted(product)


async def _get(session: AsyncSession, product_id: UUID, *, is_whole: bool = False) -> ProductRow:
    options = [undefer(ProductRow.text)] if is_whole else []
    product = await session.get(ProductRow, product_id, options=options)
    if product is None:
        raise NotFound(f"Product {product_id} is not there")
    return product


async def _get_offered(
    session: AsyncSession, product_id: UUID, *, is_locked: bool = False
) -> ProductRow:
    product = await session.get(ProductRow, product_id, with_for_update=is_locked)
    if product is None:
        raise NotFound(f"Product {product_id} is not there")
    _refuse_deleted(product)
    return product


def _refuse_deleted(product: ProductRow) -> None:
    if product.deleted_at is not None:
        raise Conflict(f"Product {product.id} was deleted: choose another one")


def _fill(product: ProductRow, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(product, name, value)


def _own_name(name: str) -> str:
    """Without the sender's folders, and without what no name has."""
    own = _NOT_IN_NAMES.sub("", name).replace("\\", "/").rpartition("/")[2].strip()
    if not own:
        raise Invalid("The file has no name: send one", field=FIELD)
    path = PurePosixPath(own)
    return path.stem[: LONGEST_NAME - len(path.suffix)] + path.suffix[:LONGEST_NAME]


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content
