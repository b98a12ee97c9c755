"""``python -m tests.services [--durable] [-- command …]``: run a command with both servers.

The command finds them in ``TEST_DATABASE_URL`` and ``TEST_REDIS_URL``; one that is set
already is used as it is. Without a command they stay up until Ctrl-C.
"""

import argparse
import os
import signal
import subprocess
import sys
from contextlib import suppress

from tests.services.running import running


def attended(command: list[str], urls: dict[str, str]) -> int:
    """The return code of *command*, whose end is awaited whatever signal comes."""
    with subprocess.Popen(command, env=os.environ | urls) as process:
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        while True:
            with suppress(KeyboardInterrupt):  # a terminal sends it to the command as well
                return process.wait()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.services", description=__doc__)
    parser.add_argument("--durable", action="store_true", help="wait for the disk at each commit")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    with running(durable=options.durable) as urls:
        if command:
            return attended(command, urls)
        for name, url in urls.items():
            print(f"{name}={url}", flush=True)  # noqa: T201 - it is what the caller asked for
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
