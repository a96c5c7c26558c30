"""Messages of the workflow that takes in a file of leads. Rows stay in the database."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOrder:
    """Take in the file of a job, as its row says."""

    company_id: UUID
    job_id: UUID

    @property
    def workflow_id(self) -> str:
        return f"import/{self.company_id}/{self.job_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """What is to be done. `is_held`: a person wants to see the mapping first."""

    is_open: bool
    asks_model: bool = False
    is_held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportTurn:
    """What one turn of loading did. `is_last`: the file is at its end, or nobody wants it."""

    processed: int
    is_last: bool
