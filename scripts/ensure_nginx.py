"""Print the path of nginx for the tests, fetching the system's if there is none.

NGINX names one that is not found by itself. Only the path goes to standard output.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

import packages

# Debian's PATH of an ordinary user has no sbin.
FOLDERS = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
# In the virtual environment, which `make clean` removes.
OWN = Path(sys.prefix) / "nginx"
HELP = (
    "The tests of deploy/ need nginx. Install it with the system's package manager, "
    "or name its executable: NGINX=/path/to/nginx make test"
)


def find() -> str | None:
    named = os.environ.get("NGINX")
    if named:
        return shutil.which(named) or sys.exit(f"NGINX={named} cannot be executed.")
    return shutil.which("nginx", path=FOLDERS) or shutil.which(OWN / "usr" / "sbin" / "nginx")


def install() -> bool:
    packages.say("No nginx found: fetching the system's package.")
    # Installed, it would take port 80 of this machine and start with it.
    return packages.extract("nginx", OWN)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--find", action="store_true", help="fetch nothing")
    only_find = parser.parse_args().find
    path = find() or (not only_find and install() and find())
    if not path:
        sys.exit(HELP)
    print(path)


if __name__ == "__main__":
    main()
