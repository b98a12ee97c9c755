"""Programs of the command line that answer a prompt on stdin with a text on stdout."""

import codecs
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

from django.core.exceptions import ImproperlyConfigured

from tasks.agents.contract import Answer, Message, Outcome, Piece, Question, Request, Text
from tasks.agents.errors import ProviderError, ProviderSilent
from tasks.agents.program import Died, NotStarted, output
from tasks.agents.settings import mapping, seconds
from tasks.definition.options import Options

__all__ = ["CommandLine"]

_LONGEST_SECRET_WORD = 6  # shorter values of the environment are no secrets, and words of messages
_LONGEST_COMPLAINT = 500  # characters


class CommandLine:
    """*command*, a list of arguments, which no shell sees.

    It is started anew for each answer, in *working_dir*, with *env* as its whole environment
    but for a ``PATH``: it has nothing of this process's that it was not given. It reads the
    instructions and the conversation from stdin, and its answer is all that it writes to stdout.
    After *timeout* seconds without output it is ended. It calls no tools of ours.
    """

    calls_tools = False

    def __init__(
        self,
        *,
        command: Sequence[str],
        env: Mapping[str, str] | None = None,
        working_dir: str | None = None,
        timeout: float = 300.0,
    ) -> None:
        if not (isinstance(command, list | tuple) and command and all(map(_is_word, command))):
            raise ImproperlyConfigured("COMMAND must be a list of str: a program, its arguments.")
        given = mapping("ENV", env)
        try:
            Options(env=given, working_dir=working_dir).check()
        except ValueError as error:
            raise ImproperlyConfigured(str(error)) from None
        self._command = list(command)
        self._env = {"PATH": os.defpath, **given}
        self._secrets = [value for value in given.values() if len(value) > _LONGEST_SECRET_WORD]
        self._folder = working_dir
        self._timeout = seconds("TIMEOUT", timeout)

    def __repr__(self) -> str:
        return f"<CommandLine {self._command[0]}>"

    async def reply(self, request: Request) -> AsyncGenerator[Piece, None]:
        """See :class:`~tasks.agents.contract.Provider`."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        name = self._command[0]
        written = output(
            self._command,
            prompt(request),
            env=self._env,
            folder=self._folder,
            silence=self._timeout,
        )
        try:
            async with aclosing(written) as pieces:
                async for piece in pieces:
                    if said := decoder.decode(piece):
                        yield Text(said)
        except Died as error:
            raise ProviderError(self._clean(f"{name} ended with {error}")) from None
        except TimeoutError:
            raise ProviderSilent(f"{name} has written nothing for {self._timeout:g} s.") from None
        except NotStarted as error:
            raise ProviderError(f"{name} cannot be started: {error}.") from None
        if rest := decoder.decode(b"", final=True):
            yield Text(rest)

    def _clean(self, message: str) -> str:
        for secret in self._secrets:
            message = message.replace(secret, "***")
        return message[:_LONGEST_COMPLAINT]


def prompt(request: Request) -> str:
    """All of a request as one text. A question alone stands as it is."""
    match request.messages:
        case [Question(question)]:
            said = question
        case messages:
            said = "\n\n".join(map(_line, messages))
    return f"{request.instructions}\n\n{said}\n" if request.instructions else f"{said}\n"


def _line(message: Message) -> str:
    match message:
        case Question(said):
            return f"User: {said}"
        case Answer(said):
            return f"Assistant: {said}"
        case Outcome(name=name, text=said):
            return f"{name}(): {said}"


def _is_word(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value
