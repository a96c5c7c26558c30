"""/api/companies/{company_id}/products: what the company offers, as its documents say it."""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import (
    APIRouter,
    Depends,
    Form,
    HTTPException,
    Query,
    Request,
    Response,
    UploadFile,
    status,
)
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import ValidationError

from api.body_limit import LARGEST_BODY
from api.dependencies import CompanyReader, CompanyWriter, Services
from api.documentation import problems
from api.documents import FIELD, LARGEST_DOCUMENT
from api.errors import UnsupportedMedia
from api.etags import IfMatch, show_version
from api.schemas.paging import LARGEST_ARRAY, ArrayLimit, Cursor, cut_array, read_cursor
from api.schemas.products import (
    NewProduct,
    ProductAnswer,
    ProductFields,
    ProductForm,
    WholeProductAnswer,
)
from api.services.products import Upload
from shared.db.models import DocumentKind
from shared.errors import Invalid

router = APIRouter(prefix="/api/companies/{company_id}/products", tags=["products"])

_JSON, _FORM = "application/json", "multipart/form-data"
_CHANGE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            _JSON: {"schema": ProductFields.model_json_schema()},
            _FORM: {"schema": ProductForm.model_json_schema()},
        },
    }
}
_MEDIA_TYPES = {
    DocumentKind.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    DocumentKind.PDF: "application/pdf",
    DocumentKind.TXT: "text/plain",
}
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file, byte for byte.",
        "content": dict.fromkeys(_MEDIA_TYPES.values(), _BINARY),
    }
}
_NOTHING = [{"type": "missing", "loc": ("body",), "msg": "Send at least one field"}]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    fields: dict[str, Any]
    upload: Upload | None


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(404, 415))
async def create_product(
    body: Annotated[NewProduct, Form(media_type=_FORM)], caller: CompanyWriter, services: Services
) -> ProductAnswer:
    """Add a product by its document, whose text is read at once.

    Another kind of file, or one that is not what its name says, is a 415; one that cannot be
    read (empty, damaged, behind a password, without text) is a 422.
    """
    fields = body.model_dump(exclude={FIELD}, exclude_unset=True)
    product = await services.products.create(caller, await _received(body.file), fields)
    return ProductAnswer.model_validate(product)


@router.get("", responses=problems(404))
async def list_products(
    *,
    request: Request,
    response: Response,
    caller: CompanyReader,
    services: Services,
    include_deleted: Annotated[bool, Query(description="Also those that were deleted.")] = False,
    limit: ArrayLimit = None,
    cursor: Cursor = None,
) -> list[ProductAnswer]:
    """The company's products, newest first; a page goes on at `Link`."""
    most = limit or LARGEST_ARRAY
    rows = await services.products.list_products(
        caller, limit=most, after=read_cursor(cursor), is_deleted_included=include_deleted
    )
    return [ProductAnswer.model_validate(row) for row in cut_array(rows, limit, request, response)]


@router.get("/{product_id}", responses=problems(404))
async def get_product(
    product_id: UUID, caller: CompanyReader, services: Services, response: Response
) -> WholeProductAnswer:
    """One product with the text of its document, also when it was deleted."""
    product = await services.products.get(caller, product_id)
    show_version(response, product)
    return WholeProductAnswer.model_validate(product)


@router.get(
    "/{product_id}/file", response_class=Response, responses={**_FILE, **problems(404, 409)}
)
async def get_product_file(
    product_id: UUID, caller: CompanyReader, services: Services
) -> StreamingResponse:
    """The document as it was uploaded, also when the product was deleted."""
    product, pieces = await services.products.open_file(caller, product_id)
    headers = {
        # Of a name, only the form of RFC 5987 bears every character.
        "Content-Disposition": f"attachment; filename*=utf-8''{quote(product.file_name, safe='')}",
        "Content-Length": str(product.file_size),
        # Of a text nobody has noted the encoding, so none is named.
        "Content-Type": _MEDIA_TYPES[product.kind],
        # Whatever it looks like: no page of ours.
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(pieces, headers=headers)


async def _read_change(request: Request) -> _Change:
    """JSON for the words alone, a form where a new file comes along."""
    kind = request.headers.get("content-type", _JSON).partition(";")[0].strip().lower()
    try:
        if kind == _JSON:
            sent = await request.body()
            # The words alone are as short as any other body.
            if len(sent) > LARGEST_BODY:
                raise HTTPException(413, f"JSON may have {LARGEST_BODY:,} bytes at the most")
            fields = ProductFields.model_validate_json(sent)
            return _Change(fields=fields.model_dump(exclude_unset=True), upload=None)
        if kind == _FORM:
            async with request.form() as parts:
                if not parts:
                    raise RequestValidationError(_NOTHING)
                form = ProductForm.model_validate(dict(parts))
                return _Change(
                    fields=form.model_dump(exclude={FIELD}, exclude_unset=True),
                    upload=await _received(form.file) if form.file else None,
                )
    except ValidationError as error:
        wrong = [{**it, "loc": ("body", *it["loc"])} for it in error.errors()]
        raise RequestValidationError(wrong) from None
    raise UnsupportedMedia(f"Send {_JSON}, or {_FORM} with a new file")


@router.put("/{product_id}", responses=problems(404, 409, 412, 415), openapi_extra=_CHANGE)
async def update_product(
    *,
    product_id: UUID,
    caller: CompanyWriter,
    services: Services,
    body: Annotated[_Change, Depends(_read_change)],
    response: Response,
    if_match: IfMatch = None,
) -> ProductAnswer:
    """Change the fields that are given: as JSON, or as a form that may bring a new file."""
    product = await services.products.change(
        caller, product_id, body.fields, body.upload, expected=if_match
    )
    show_version(response, product)
    return ProductAnswer.model_validate(product)


@router.delete("/{product_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(404))
async def delete_product(product_id: UUID, caller: CompanyWriter, services: Services) -> None:
    """Hide it. Running campaigns go on with it; new ones cannot take it up."""
    await services.products.delete(caller, product_id)


async def _received(file: UploadFile) -> Upload:
    content = await file.read(LARGEST_DOCUMENT + 1)
    if len(content) > LARGEST_DOCUMENT:
        most = LARGEST_DOCUMENT // 1024 // 1024
        raise Invalid(f"The file has more than {most} MB: send a smaller one", field=FIELD)
    return Upload(name=file.filename or "", content=content)
