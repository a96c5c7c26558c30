"""Every error this product raises on purpose.

DrumbeatError
├── NotFound          the row is not there, or belongs to another company
├── Conflict          the request contradicts the current state
├── Invalid           the request has the right shape and an impossible content
├── NotAuthenticated  nobody we know
├── NotAllowed        the caller may not do this
├── Misconfigured     a setting is missing or wrong: says which one and what to do
└── ProviderError     Gmail, LinkedIn or Bland said no, or said nothing
    ├── RateLimited   wait as long as the provider asks
    ├── Unavailable   it did not happen: try again soon
    ├── Ambiguous     it may have happened: look before trying again
    ├── Gone          the thing we named is not there any more
    ├── AuthExpired   wait for a person to reconnect the account
    ├── AccountRefused  the account cannot do this until a person mends it
    ├── Misdefined    the step itself is wrong: nobody is reached by it until it is edited
    └── Refused       this lead will never accept this message
        └── DoNotCall  this number must not be dialled, by anybody
"""

from datetime import timedelta


class DrumbeatError(Exception):
    """Base of the tree above. The message is safe to show to a user."""


class NotFound(DrumbeatError): ...


class Conflict(DrumbeatError):
    """`missing` lists what has to be done first, one sentence each."""

    def __init__(self, message: str, *, missing: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.missing = missing


class Invalid(DrumbeatError):
    """`field` is the path of the field, as the caller wrote it."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class NotAuthenticated(DrumbeatError): ...


class NotAllowed(DrumbeatError): ...


class Misconfigured(DrumbeatError): ...


class ProviderError(DrumbeatError):
    """A provider said no. `retry_after` is when asking again makes sense."""

    retry_after: timedelta | None = None


class RateLimited(ProviderError):
    def __init__(self, message: str, *, retry_after: timedelta) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(ProviderError): ...


class Ambiguous(Unavailable):
    """The answer was lost after the request had left, or the provider failed while acting."""


class Gone(ProviderError): ...


class AuthExpired(ProviderError): ...


class AccountRefused(ProviderError): ...


class Misdefined(ProviderError): ...


class Refused(ProviderError): ...


class DoNotCall(Refused): ...
