"""Bodies of /api/companies/{company_id}/products."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from fastapi import UploadFile
from pydantic import Field

from api.schemas.fields import Answer, Body, Long, NotNull, Short
from shared.db.models import DocumentKind


class ProductAnswer(Answer):
    """`deleted_at`: hidden since then; what was made with it goes on."""

    id: UUID
    product_name: str = Field(examples=["Analytical Engine"])
    description: str | None
    file_name: str = Field(examples=["engine.pdf"])
    file_size: int = Field(description="In bytes.")
    kind: DocumentKind = Field(description="What the file is, by its content.")
    text_length: int = Field(description="Characters of text that were found in it.")
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class WholeProductAnswer(ProductAnswer):
    text: str = Field(description="What the file says, up to a million characters.")


class NewProduct(Body):
    """`file`: .docx, .pdf or .txt, at most 20 MB, and not protected by a password."""

    file: UploadFile
    product_name: Short | None = Field(None, description="Without one, the file's name.")
    description: Long | None = None


class ProductFields(Body):
    """What is left out stays as it is."""

    read_only: ClassVar = frozenset(WholeProductAnswer.model_fields.keys()) - {
        "product_name",
        "description",
    }

    product_name: Annotated[Short | None, NotNull] = Field(None, examples=["Difference Engine"])
    description: Long | None = None


class ProductForm(ProductFields):
    """The same fields as a form, which can also bring a new file."""

    file: Annotated[UploadFile | None, NotNull] = None
