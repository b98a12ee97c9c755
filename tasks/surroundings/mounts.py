"""What kind of file system a file is on."""

import re
from pathlib import Path

__all__ = ["file_system"]

_MOUNTS = Path("/proc/mounts")
_OCTAL = re.compile(r"\\([0-7]{3})")  # how spaces and such are written there


def file_system(path: str) -> str:
    """The type of the file system that holds *path*, such as ``ext4``; "" where none can tell."""
    try:
        lines = _MOUNTS.read_text(errors="surrogateescape").splitlines()
        target = Path(path).resolve()
    except OSError:
        return ""  # not Linux
    found: tuple[int, str] = (-1, "")
    for _, point, kind, *_ in (line.split(" ") for line in lines):
        folder = Path(_OCTAL.sub(lambda match: chr(int(match[1], 8)), point))
        # Of two on the same folder the later one covers the other.
        if len(folder.parts) >= found[0] and target.is_relative_to(folder):
            found = len(folder.parts), kind
    return found[1]
