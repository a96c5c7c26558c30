"""Asks a model which field a column is, where its name says nothing to us."""

import json
from collections.abc import Mapping

from pydantic import BaseModel

from shared.errors import Refused, Unavailable
from shared.importing.headers import FIELDS

SECONDS = 60
_TASK = (
    "Columns of a spreadsheet of people are given as JSON: the header of each, and the shapes of"
    " some cells (A and a are letters, 9 is a digit). Say for each header which of these fields it"
    f" is, or `none` if you are not sure: {', '.join(FIELDS)}. Use every field once at the most,"
    " and none of these, which are taken: {taken}."
)


class Column(BaseModel):
    header: str
    field: str


class Columns(BaseModel):
    columns: list[Column]


class MappingModel:
    """An OpenAI-compatible model. Temporal repeats the call, so the SDK does not."""

    def __init__(self, *, base_url: str, api_key: str, model: str) -> None:
        self._base_url, self._api_key, self._model = base_url, api_key, model

    async def name(self, columns: Mapping[str, list[str]], *, taken: set[str]) -> dict[str, str]:
        """Header to field, only what is sure and free. Raises Unavailable or Refused."""
        import openai  # noqa: PLC0415 - a fifth of every start, and few ask a model

        asked = [{"header": header, "shapes": shapes} for header, shapes in columns.items()]
        task = _TASK.format(taken=", ".join(sorted(taken)))
        try:
            parsed = await self._ask(task, json.dumps(asked, ensure_ascii=False))
        except (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError):
            raise Unavailable("The model that maps columns does not answer") from None
        except (openai.OpenAIError, ValueError):
            # ValueError: words that are no such JSON.
            raise Refused("The model that maps columns gave no answer that can be used") from None
        return _sure(parsed, columns, taken) if parsed else {}

    async def _ask(self, task: str, columns: str) -> Columns | None:
        from openai import AsyncOpenAI  # noqa: PLC0415 - a fifth of every start, and few ask a model

        # One call per file: a client of its own leaves no connection open.
        async with AsyncOpenAI(
            base_url=self._base_url, api_key=self._api_key, max_retries=0, timeout=SECONDS
        ) as client:
            answer = await client.chat.completions.parse(
                model=self._model,
                messages=[
                    {"role": "system", "content": task},
                    {"role": "user", "content": columns},
                ],
                response_format=Columns,
            )
        return answer.choices[0].message.parsed if answer.choices else None


def _sure(parsed: Columns, columns: Mapping[str, list[str]], taken: set[str]) -> dict[str, str]:
    """A model may name what is not there, or one field twice: the first one counts."""
    found: dict[str, str] = {}
    for column in parsed.columns:
        is_free = column.field in FIELDS and column.field not in {*taken, *found.values()}
        if is_free and column.header in columns:
            found.setdefault(column.header, column.field)
    return found
