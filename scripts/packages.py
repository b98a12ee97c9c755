"""Installing the system's packages, for the scripts that make sure of what the tests need."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

__all__ = ["as_root", "install", "say"]


def as_root() -> list[str] | None:
    """What to put before a command to run it as root; None when nothing does."""
    if os.geteuid() == 0:
        return []
    if sudo := shutil.which("sudo"):
        return [sudo] if sys.stdin.isatty() else [sudo, "-n"]
    return None


def install(packages: Sequence[str]) -> bool:
    """Install *packages* with apt-get; False where that cannot be done or fails.

    What apt-get says goes to standard error: the scripts' output is their answer.
    """
    prefix = as_root()
    if prefix is None or not shutil.which("apt-get"):
        return False
    quiet = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    commands = (
        [*quiet, "update"],
        [*quiet, "install", "--yes", "--no-install-recommends", *packages],
    )
    return all(
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode == 0
        for command in commands
    )


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
