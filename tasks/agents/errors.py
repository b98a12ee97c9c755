"""What goes wrong with agents, by who is to blame.

::

    HeadwayError
    ├── MissingVariable        the caller: a template needs a value that was not given
    └── AgentError
        ├── CannotContinue     the caller: there is no such conversation, or it still goes on
        ├── TurnsExceeded      the model: it still calls tools after ``max_turns``
        ├── InvalidOutput      the model: no JSON of the schema, even when told what is wrong
        ├── ReplyTooLong       the model: it says more than fits into an event
        └── ProviderError      the endpoint or program
            ├── ProviderRefused    it does not accept the request: key, model, arguments
            ├── ProviderBusy       it has no time, and says so; ``retry_after`` is when it may
            ├── ProviderSilent     it says nothing for longer than it may
            └── ReplyBroken        its reply is cut, ends in an error, or is no reply at all

All of them fail the attempt; ``max_attempts`` of the agent decides whether there is another.
"""

from tasks.exceptions import HeadwayError

__all__ = [
    "AgentError",
    "CannotContinue",
    "InvalidOutput",
    "MissingVariable",
    "ProviderBusy",
    "ProviderError",
    "ProviderRefused",
    "ProviderSilent",
    "ReplyBroken",
    "ReplyTooLong",
    "TurnsExceeded",
]


# No KeyError: templates take that for the name of an attribute.
class MissingVariable(HeadwayError, LookupError):
    """A template needs a value that was not given."""


class AgentError(HeadwayError):
    """An agent could not do its work."""


class CannotContinue(AgentError):
    """The conversation cannot be continued."""


class TurnsExceeded(AgentError):
    """The model still calls tools after the last turn it has."""


class InvalidOutput(AgentError):
    """The model's answer does not fit the schema."""


class ReplyTooLong(AgentError):
    """The model's reply is longer than an event may be."""


class ProviderError(AgentError):
    """The provider could not answer."""

    def __init__(self, message: str | None = None, *, status: int | None = None) -> None:
        super().__init__(message)
        #: Of HTTP, if there was an answer.
        self.status = status


class ProviderRefused(ProviderError):
    """The provider does not accept the request."""


class ProviderBusy(ProviderError):
    """The provider has no time for the request now."""

    def __init__(
        self,
        message: str | None = None,
        *,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, status=status)
        #: Seconds, if it said so.
        self.retry_after = retry_after


class ProviderSilent(ProviderError, TimeoutError):
    """The provider has said nothing for longer than it may."""


class ReplyBroken(ProviderError):
    """The provider's reply is not whole."""
