"""Ways to reach a lead, as fields of bodies."""

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from api.schemas.fields import storable, wrong
from shared.importing.addresses import NoAddress, normal_phone, normal_profile


def spelled(normal: Callable[[str], str]) -> Callable[[str], str]:
    """A validator of it."""

    def validate(value: str) -> str:
        try:
            return normal(value)
        except NoAddress as error:
            raise wrong(str(error)) from None

    return validate


Phone = Annotated[
    str,
    StringConstraints(max_length=60),
    AfterValidator(storable),
    AfterValidator(spelled(normal_phone)),
    Field(examples=["+49 30 123456"]),
]
LinkedInUrl = Annotated[
    str,
    StringConstraints(max_length=500),
    AfterValidator(storable),
    AfterValidator(spelled(normal_profile)),
    Field(examples=["https://www.linkedin.com/in/ada"]),
]
