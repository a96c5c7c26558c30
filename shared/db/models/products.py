"""What a company offers, as a document describes it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, Owned, company_key


class DocumentKind(StrEnum):
    """What is in the file, whatever its name says."""

    DOCX = "docx"
    PDF = "pdf"
    TXT = "txt"


class ProductRow(Owned, Base):
    """`file_key`: where storage has the file. `text`: what it says. `deleted_at`: hidden."""

    __tablename__ = "products"
    __table_args__ = (company_key(), Index(None, "company_id", "created_at"))

    product_name: Mapped[str]
    description: Mapped[str | None]
    file_name: Mapped[str]
    file_key: Mapped[str]
    file_size: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[DocumentKind]
    # Up to a million characters, so a list leaves it where it is.
    text: Mapped[str] = mapped_column(deferred=True, deferred_raiseload=True)
    text_length: Mapped[int]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
    deleted_at: Mapped[datetime | None]
