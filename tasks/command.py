"""What a task with ``runner="command"`` returns: a program and what it is given."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Command"]

_SHELL = "/bin/sh"


@dataclass(frozen=True, slots=True)
class Command:
    """A program with its arguments; ``TypeError`` or ``ValueError`` if it is none.

    *argv* is a list, and no shell ever sees it. With *shell*, it is one text for ``/bin/sh``:
    never make that of what a stranger has written. *stdin_text* is written to stdin, which
    then ends. An *interactive* command's stdin stays open: each text that is sent to the run
    becomes a line of it, any other value a line of JSON, and None ends it.
    """

    argv: Sequence[str] | str
    stdin_text: str | None = None
    shell: bool = False
    interactive: bool = False

    def __post_init__(self) -> None:
        if self.shell:
            if not isinstance(self.argv, str) or not self.argv.strip():
                raise TypeError("With shell=True, argv is one text for the shell.")
        elif isinstance(self.argv, str) or not isinstance(self.argv, Sequence):
            raise TypeError(
                "argv is a list such as ['pg_dump', 'shop']; a shell, which takes one text, is"
                " used with shell=True only."
            )
        if not self.words or not self.words[0]:
            raise ValueError("argv is empty: its first item names the program.")
        for word in self.words:
            if not isinstance(word, str):
                raise TypeError(f"argv holds {word!r}, which is no str: write str({word!r}).")
            if "\0" in word:
                raise ValueError("argv holds a NUL character, which no argument can.")
        if self.stdin_text is not None and not isinstance(self.stdin_text, str):
            raise TypeError(f"stdin_text is a str, not {type(self.stdin_text).__name__}.")

    @classmethod
    def of(cls, value: Any) -> "Command":
        """What a task has returned, a bare list of arguments included."""
        return value if isinstance(value, cls) else cls(value)

    @property
    def words(self) -> list[str]:
        """What is executed."""
        return [_SHELL, "-c", str(self.argv)] if self.shell else list(self.argv)
