"""What every table shares: an id, the company it belongs to, and the fence around both."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    DateTime,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from uuid_utils.compat import uuid7

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# Once set, the setting reads '' after the transaction, not NULL, and ''::uuid is an error.
CURRENT_COMPANY = "nullif(current_setting('app.company_id', true), '')::uuid"
CURRENT_USER = "nullif(current_setting('app.user_id', true), '')::uuid"


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - the name and the form are SQLAlchemy's
        datetime: DateTime(timezone=True),
        str: Text(),
        list[str]: ARRAY(Text()),
        list[bytes]: ARRAY(LargeBinary()),
        dict[str, Any]: JSONB(),
        list[dict[str, Any]]: JSONB(),
        StrEnum: Enum(
            StrEnum,
            native_enum=False,
            length=40,
            values_callable=lambda enum: [member.value for member in enum],
        ),
    }

    id: Mapped[UUID] = mapped_column(
        primary_key=True, default=uuid7, server_default=text("uuidv7()"), sort_order=-2
    )


class Fenced:
    """A table of one company's rows. Row level security shows no other company's."""

    company_id: Mapped[UUID] = mapped_column(server_default=text(CURRENT_COMPANY), sort_order=-1)


class Owned(Fenced):
    """A table whose rows hang on their company itself and go with it."""

    company_id: Mapped[UUID] = mapped_column(
        ForeignKey("companies.id", ondelete="CASCADE"),
        server_default=text(CURRENT_COMPANY),
        sort_order=-1,
    )


def company_key() -> UniqueConstraint:
    """What `same_company` points at."""
    return UniqueConstraint("company_id", "id")


def same_company(column: str, table: str, *, on_delete: str | None = None) -> ForeignKeyConstraint:
    """A foreign key inside one company. Postgres checks foreign keys past row security."""
    return ForeignKeyConstraint(
        ["company_id", column], [f"{table}.company_id", f"{table}.id"], ondelete=on_delete
    )
