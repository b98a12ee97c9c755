"""Telling a service manager how this process is: systemd's sd_notify(3)."""

import socket
from contextlib import suppress

from django.conf import settings

__all__ = ["notify"]


def notify(state: str) -> None:
    """Send *state*, such as ``READY=1``, to where ``settings.NOTIFY_SOCKET`` says.

    It is systemd's variable of that name. Nothing happens where it is not set, and an
    answer is neither expected nor waited for.
    """
    address: str = getattr(settings, "NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # Linux's abstract namespace
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.sendto(state.encode(), address)
