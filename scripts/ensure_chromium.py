"""Print the path of a Chromium for the browser tests, installing the system's if there is none.

CHROMIUM names one that is not on PATH. Only the path goes to standard output.
"""

import os
import shutil
import sys

import packages

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


def install() -> bool:
    packages.say("No Chromium found: installing the system's package.")
    return packages.install(PACKAGES)


def main() -> None:
    path = find() or (install() and find())
    if not path:
        sys.exit(HELP)
    print(path)


if __name__ == "__main__":
    main()
