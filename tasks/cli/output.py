"""What subcommands print: lines for people, JSON for machines."""

import json
from typing import Any

from django.core.management.base import OutputWrapper

__all__ = ["Output", "printable"]


def printable(text: object) -> str:
    """*text* on one line, without what would command a terminal: tasks say what they like."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "�" for c in str(text))


class Output:
    """The streams of a command."""

    def __init__(self, stdout: OutputWrapper, stderr: OutputWrapper, style: Any) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self.style = style

    @property
    def is_terminal(self) -> bool:
        return self._stdout.isatty()

    def holds(self, text: str) -> bool:
        """Whether the stream's encoding has these characters."""
        try:
            text.encode(getattr(self._stdout, "encoding", None) or "utf-8")
        except (UnicodeEncodeError, LookupError):
            return False
        return True

    def line(self, text: object = "", style: str = "") -> None:
        """A line for people; *style* names one of Django's, such as ``SUCCESS``."""
        shown = printable(text)
        if not self.holds(shown):
            shown = shown.encode("ascii", "backslashreplace").decode()
        self._stdout.write(self.styled(shown, style))
        self._stdout.flush()

    def styled(self, text: str, style: str) -> str:
        """In the colours of a style, where there are colours."""
        return getattr(self.style, style)(text) if style and self.is_terminal else text

    def json(self, value: Any) -> None:
        """A line for machines: JSON in ASCII, whatever the stream's encoding is."""
        self._stdout.write(json.dumps(value, separators=(",", ":")))
        self._stdout.flush()

    def value(self, value: Any) -> None:
        """A JSON value for either: as text where a terminal can show it."""
        if not self.is_terminal:
            return self.json(value)
        text = json.dumps(value, ensure_ascii=False)
        return self.line(text if text.isprintable() else json.dumps(value))

    def raw(self, text: str) -> None:
        """As it stands, such as what moves a terminal's cursor."""
        self._stdout.write(text, ending="")
        self._stdout.flush()

    def problem(self, text: object) -> None:
        """A line on stderr, where no exception ends the command."""
        self._stderr.write(printable(text))
        self._stderr.flush()
