"""Installing the system's packages, for the scripts that make sure of what the tests need."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

__all__ = ["as_root", "extract", "install", "say"]


def as_root() -> list[str] | None:
    """What to put before a command to run it as root; None when nothing does."""
    if os.geteuid() == 0:
        return []
    if sudo := shutil.which("sudo"):
        return [sudo] if sys.stdin.isatty() else [sudo, "-n"]
    return None


def install(packages: Sequence[str]) -> bool:
    """Install *packages* with apt-get; False where that cannot be done or fails."""
    prefix = as_root()
    if prefix is None or not shutil.which("apt-get"):
        return False
    quiet = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    options = ["--yes", "--no-install-recommends"]
    return _done([*quiet, "update"]) and _done([*quiet, "install", *options, *packages])


def extract(package: str, folder: Path) -> bool:
    """Put the files of *package*, and of that one alone, below *folder* without installing it.

    So nothing is configured and no service started. False where that cannot be done.
    """
    if not shutil.which("apt-get"):
        return False
    prefix = as_root()
    if prefix is not None:  # else with the lists that there are
        _done([*prefix, "apt-get", "-qq", "update"])
    with tempfile.TemporaryDirectory() as download:
        Path(download).chmod(0o755)  # apt-get downloads as a user of its own
        if not _done(["apt-get", "-qq", "download", package], cwd=download):
            return False
        (archive,) = Path(download).glob("*.deb")
        return _done(["dpkg", "--extract", str(archive), str(folder)])


def _done(command: list[str], cwd: str | None = None) -> bool:
    # What apt-get says goes to standard error: the scripts' output is their answer.
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    return done.returncode == 0


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
