"""A job in the words that people read."""

from typing import Any

from api.schemas.tasks import Column, TaskAnswer
from shared.db.models import JobKind, JobRow
from shared.importing.headers import CUSTOM, match

COUNTS = ("created", "updated", "skipped")
ENROLLED = ("campaign_id", "added", "already", "refused")
SAME = """id kind status processed total errors result_url created_by created_at started_at
finished_at cancelled_at""".split()  # noqa: SIM905 - it reads better


def task_answer(job: JobRow) -> TaskAnswer:
    return TaskAnswer.model_validate(
        {name: getattr(job, name) for name in SAME}
        | (_of_import(job) if job.kind is JobKind.IMPORT else {})
        | {name: job.more[name] for name in ENROLLED if name in job.more}
    )


def _of_import(job: JobRow) -> dict[str, Any]:
    more = job.more
    shown: dict[str, Any] = {name: more.get(name, 0) for name in COUNTS}
    shown["file_name"] = more.get("file_name")
    if "headers" in more:
        columns = [_column(header, more) for header in more["headers"]]
        shown["columns"] = columns
        shown["mapping"] = {column.header: column.field for column in columns}
        shown["waits_for_mapping"] = not more["is_applied"] and job.cancelled_at is None
    return shown


def _column(header: str, more: dict[str, Any]) -> Column:
    field = more["mapping"].get(header)
    wanted = {match(name, more["headers"]) for name in more["wanted"]}
    if header in wanted:
        return Column(header=header, field=field or None, by="you")
    if field is None:
        return Column(header=header, field=CUSTOM if more["keeps_unmapped"] else None, by="nobody")
    for by in ("model", "content"):
        if header in more.get(f"by_{by}", ()):
            return Column(header=header, field=field, by=by)
    return Column(header=header, field=field, by="name")
