"""Names of the task queues: one per provider, one for the workflows, one for everything else."""

from enum import StrEnum


class Queue(StrEnum):
    RECIPIENT = "recipient"
    GMAIL = "gmail"
    SMTP = "smtp"
    LINKEDIN = "linkedin"
    BLAND = "bland"
    OPS = "ops"


def queue_beside(own: str, queue: Queue) -> str:
    """The named queue of the same deployment: `blue/recipient` is served beside `blue/gmail`."""
    prefix, slash, _ = own.rpartition("/")
    return f"{prefix}{slash}{queue}"
