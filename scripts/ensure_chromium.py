"""Print the path of a Chromium for the browser tests, installing the system's if there is none.

CHROMIUM names one that is not on PATH. Only the path goes to standard output.
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# The fonts: without any, headless Chromium draws a page of empty boxes.
PACKAGES = ("chromium", "fonts-dejavu-core")
HELP = (
    "The browser tests need Chromium or Chrome. Install one with the system's package manager, "
    "or name its executable: CHROMIUM=/path/to/chrome make test"
)


def find() -> str | None:
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named) or sys.exit(f"CHROMIUM={named} cannot be executed.")
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def as_root() -> list[str] | None:
    """What to put before a command to run it as root; None when nothing does."""
    if os.geteuid() == 0:
        return []
    if sudo := shutil.which("sudo"):
        return [sudo] if sys.stdin.isatty() else [sudo, "-n"]
    return None


def install() -> bool:
    prefix = as_root()
    if prefix is None or not shutil.which("apt-get"):
        return False
    say("No Chromium found: installing the system's package.")
    quiet = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    commands = (
        [*quiet, "update"],
        [*quiet, "install", "--yes", "--no-install-recommends", *PACKAGES],
    )
    return all(
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode == 0
        for command in commands
    )


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    path = find() or (install() and find())
    if not path:
        sys.exit(HELP)
    print(path)


if __name__ == "__main__":
    main()
