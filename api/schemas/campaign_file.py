"""What a campaign's file holds: everything that people decide, nothing that an installation is."""

from typing import Annotated

from pydantic import ConfigDict, Field

from api.schemas.campaigns import PacedFields, TrackedFields
from api.schemas.definition import Steps
from api.schemas.fields import Short
from shared.db.models.campaigns import CampaignType


class CampaignFile(PacedFields, TrackedFields):
    """Accounts and product go by their names, so that one file serves several installations."""

    model_config = ConfigDict(json_schema_extra={})

    name: Short = Field(examples=["Spring"])
    type: CampaignType = Field(examples=["multi"])
    accounts: Annotated[list[Short], Field(max_length=100)] | None = Field(
        None,
        examples=[["ada@example.com"]],
        description="Addresses or names of the accounts that reach out; none: the primary ones.",
    )
    product: Short | None = Field(None, description="Name of the product that it is about.")
    steps: Steps
