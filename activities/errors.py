"""Where an error becomes a Temporal retry. The only such place.

Temporal's history is read by operators and kept for months, so no provider's or database's own
text goes in: those carry addresses. Unexpected errors become a type and the id of a log line.
"""

import logging
from datetime import timedelta
from typing import Any
from uuid import uuid4

from temporalio.exceptions import ApplicationError, FailureError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from shared.errors import DrumbeatError, ProviderError

log = logging.getLogger(__name__)


def to_application_error(
    error: ProviderError, *, retry_after: timedelta | None = None
) -> ApplicationError:
    """A retry that waits as long as the provider asks, up to a minute; else the usual back-off."""
    return ApplicationError(
        str(error), type=type(error).__name__, next_retry_delay=retry_after or error.retry_after
    )


class ErrorInterceptor(Interceptor):
    """Lets our own errors through and hides the words of all others."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the parameter's name is Temporal's
        return _HideWords(next)


class _HideWords(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the parameter's name is Temporal's
        try:
            return await super().execute_activity(input)
        except FailureError:
            raise
        except ProviderError as error:
            raise to_application_error(error) from None
        except DrumbeatError as error:
            raise ApplicationError(str(error), type=type(error).__name__) from None
        except Exception as error:
            log_id = uuid4()
            log.exception("activity.failed", extra={"log_id": str(log_id)})
            name = type(error).__name__
            raise ApplicationError(f"{name}, see log {log_id}", type=name) from None
