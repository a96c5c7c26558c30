"""Bodies of /api/companies/{company_id}/members."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field, model_validator

from api.schemas.fields import Answer, Body, Email, Short
from shared.db.models import Role


class NewMember(Body):
    email: Email
    role: Role = Field(examples=["member"])
    name: Short | None = Field(None, description="Of a person whom we do not know yet.")


class MemberAnswer(Answer):
    """`is_invited`: the person has not set a password yet."""

    user_id: UUID
    email: str
    name: str
    role: Role
    is_invited: bool
    created_at: datetime

    @model_validator(mode="before")
    @classmethod
    def _unpack(cls, member: Any) -> Any:
        if isinstance(member, dict):
            return member
        user = member.user
        return {
            "user_id": user.id,
            "email": user.email,
            "name": user.name,
            "role": member.row.role,
            "is_invited": user.password_hash is None and user.oidc_subject is None,
            "created_at": member.row.created_at,
        }


class NewMemberAnswer(MemberAnswer):
    invitation_token: str | None = Field(
        description="For somebody without a password: hand it over, it is shown this once."
        " POST /api/auth/accept-invitation takes it within seven days."
    )


class MemberChange(Body):
    read_only: ClassVar = frozenset(MemberAnswer.model_fields.keys()) - {"role"}

    role: Role = Field(examples=["director"])
