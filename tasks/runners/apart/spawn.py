"""Starting the helper process that becomes the fork server."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections

from tasks.codec import encode
from tasks.definition import registry
from tasks.exceptions import InvalidValue, ProcessDied

__all__ = ["setup", "spawn"]

# The guardian forks while there is next to nothing in memory, and no thread. Settings come
# before the server: what that is made of holds models.
_PROGRAM = """
import json, os, runpy, sys
supervisor, control, guardian, settings, path = sys.argv[1:]
runpy.run_path(guardian)["guard"](int(supervisor), int(control))
sys.path[:] = json.loads(path)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", settings)
import django
django.setup()
from tasks.runners.apart.server import main
main(int(control))
"""
_GUARDIAN = Path(__file__).with_name("guardian.py")


def spawn(far: socket.socket) -> "subprocess.Popen[bytes]":
    """A new fork server with *far* as its control socket; it waits for its :func:`setup`.

    The process returned is its guardian, which ends with it.
    """
    if (settings_module := _settings_module()) is None:
        raise ProcessDied(
            "settings.configure() was called, and another process cannot do the same: put the"
            " settings into a module and name it in DJANGO_SETTINGS_MODULE."
        )
    own = [str(os.getpid()), str(far.fileno()), os.fspath(_GUARDIAN)]
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *own, settings_module, json.dumps(sys.path)],
        stdin=subprocess.DEVNULL,
        pass_fds=[far.fileno()],
        start_new_session=True,
    )


def _settings_module() -> str | None:
    found: Any = settings
    found = found._wrapped
    while (named := getattr(found, "SETTINGS_MODULE", None)) is None:
        # An override_settings() stands before what it overrides.
        if (found := getattr(found, "default_settings", None)) is None:
            return None
    return str(named)


def setup() -> bytes:
    """What the fork server cannot read from the settings."""
    given = {
        name: value for name, value in getattr(settings, "HEADWAY", {}).items() if _is_json(value)
    }
    databases = {
        alias: os.fspath(name)
        for alias in connections
        if isinstance(name := connections[alias].settings_dict.get("NAME"), str | os.PathLike)
    }
    modules = {task.func.__module__ for task in registry.known().values()} - {"__main__"}
    return encode({"databases": databases, "headway": given, "modules": sorted(modules)}).encode()


def _is_json(value: object) -> bool:
    try:
        encode(value)
    except InvalidValue:
        return False
    return True
