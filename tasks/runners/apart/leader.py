"""The first steps of a leader: a session, files and limits of its own; then what was asked."""

import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from tasks.codec import decode, encode
from tasks.definition.options import Options
from tasks.runners.apart import kernel, limits, surroundings
from tasks.runners.apart.function import perform
from tasks.runners.apart.wire import Kind, frame, receive_waiting

__all__ = ["lead"]

logger = logging.getLogger("headway.leader")

_DEFAULT = (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Python ignores them, and would have a command do so as well.
_OF_COMMANDS = (signal.SIGPIPE, signal.SIGXFSZ)


def lead(parent: int, files: Sequence[int]) -> NoReturn:
    """Do what the request says that waits in the channel, the first of *files*."""
    os.setsid()
    kernel.die_with_parent(parent)
    kernel.adopt_orphans()
    kernel.prefer_as_victim()
    for number in _DEFAULT:
        signal.signal(number, signal.SIG_DFL)
    channel = _take(files)
    request = receive_waiting(channel)
    if request is None:
        os._exit(0)  # whoever asked has gone already
    first, *arguments = request.data.decode().split("\n")
    given = decode(first)
    if "argv" in given:
        _become(channel, given)
    perform(channel, given, *arguments)
    _end()


def _take(files: Sequence[int]) -> socket.socket:
    channel, *standard = files
    for number, file in enumerate(standard):
        os.dup2(file, number)
    for file in standard:
        os.close(file)
    os.set_inheritable(channel, False)
    return socket.socket(fileno=channel)


def _become(channel: socket.socket, given: dict[str, Any]) -> NoReturn:
    """Execute a command; the channel ends when it has begun, else tells why it has not."""
    try:
        options = Options.stored(given["options"])
        surroundings.enter(options, alone=given.get("alone", False))
        for number in _OF_COMMANDS:
            signal.signal(number, signal.SIG_DFL)
        limits.limit(options, keep=False)
        os.execvp(given["argv"][0], given["argv"])
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        channel.sendall(frame(Kind.RAISED, encode(str(why)).encode()))
    os._exit(127)


def _end() -> NoReturn:
    """The end of a leader: nothing of the fork server's own is to be run or flushed again."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue  # nobody reads, or the function has closed it
    os._exit(0)
