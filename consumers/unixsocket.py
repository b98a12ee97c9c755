"""The path of a Unix socket, before a server listens there."""

import socket
import stat
from pathlib import Path

__all__ = ["SocketTaken", "clear_stale"]

_PATIENCE = 1.0  # seconds: a server that lives takes the connection at once


class SocketTaken(OSError):
    """Something is at the path that must not be removed."""


def clear_stale(path: Path) -> bool:
    """Remove what a dead server left at *path*; whether there was anything.

    Nobody listens on a socket that refuses a connection. :class:`SocketTaken` for a server
    that lives, for one that cannot be asked, and for what is no socket.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISSOCK(mode):
        raise SocketTaken(f"{path} is no socket, and is left as it is.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PATIENCE)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return True
        except FileNotFoundError:
            return False
        except OSError as error:  # it may be busy, or somebody else's
            raise SocketTaken(f"{path} cannot be asked whether it is in use: {error}") from error
    raise SocketTaken(f"A server listens on {path} already.")
