"""Bodies of /api/auth."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from api.schemas.fields import Answer, Body, Email, Flag, Short, storable
from shared.db.models import Role

NewPassword = Annotated[
    str,
    StringConstraints(min_length=8, max_length=200),
    AfterValidator(storable),
    Field(description="8 to 200 characters.", examples=["correct horse battery"]),
]
Password = Annotated[str, StringConstraints(max_length=200), AfterValidator(storable)]
Token = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(storable)]


class Registration(Body):
    email: Email
    password: NewPassword
    name: Short = Field(examples=["Ada Lovelace"])


class Login(Body):
    email: Email
    password: Password = Field(examples=["correct horse battery"])
    cookie: Flag = Field(
        False, description="Also open a browser's session: two cookies, for pages of ours."
    )


class Invitation(Body):
    invitation_token: Token = Field(examples=["iv_Zk3v..."])
    password: NewPassword
    name: Short | None = None


class Ending(Body):
    refresh_token: Token | None = Field(None, examples=["rt_Zk3v..."])


class RefreshToken(Body):
    refresh_token: Token = Field(examples=["rt_Zk3v..."])


class SwitchCompany(Body):
    company_id: UUID = Field(examples=["01939b7e-0000-7000-8000-000000000001"])


class UserAnswer(Answer):
    id: UUID
    email: str
    name: str
    created_at: datetime


class TokensAnswer(Answer):
    """`expires_in`: seconds that the access token is good for. A refresh token is used once."""

    user: UserAnswer
    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 - the name of the scheme, no secret
    expires_in: int


class OwnCompany(Answer):
    id: UUID
    name: str
    role: Role


class MeAnswer(Answer):
    user: UserAnswer
    companies: list[OwnCompany]
    active_company_id: UUID | None
