"""What the small Gmail keeps: the sandbox's, under the name that tests know."""

from deploy.sandbox.faulty_mailbox import Json, Mailbox, StoredMail

__all__ = ["Json", "Mailbox", "StoredMail"]
