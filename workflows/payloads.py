"""How what goes through Temporal is written: pydantic's JSON, with its readers kept."""

from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
)

# One for the process: each workflow would make its own, and the readers of all its types anew,
# which costs a recipient as much as a whole step.
_JSON = PydanticJSONPlainPayloadConverter()


class PayloadConverter(CompositePayloadConverter):
    """As temporalio.contrib.pydantic has it."""

    def __init__(self) -> None:
        usual = DefaultPayloadConverter.default_encoding_payload_converters
        super().__init__(
            *(_JSON if isinstance(one, JSONPlainPayloadConverter) else one for one in usual)
        )


DATA_CONVERTER = DataConverter(payload_converter_class=PayloadConverter)
