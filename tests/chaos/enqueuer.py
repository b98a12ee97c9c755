"""A process that enqueues and then dies, or keeps its transaction to itself.

``python -m tests.chaos.enqueuer <how> <path>`` with a server's environment: it enqueues
``mark(path)``, and then

* ``die``: is dead, by SIGKILL, as soon as ``enqueue`` has returned;
* ``commit`` or ``roll-back``: says so, waits for a line of input, and does what it says.
"""

import os
import signal
import sys

import django
from django.db import transaction


class Undo(Exception):
    """Rolls a transaction back."""


def main(how: str, path: str) -> None:
    django.setup()
    from tests.chaos.service.tasks import mark

    if how == "die":
        mark.enqueue(path)
        os.kill(os.getpid(), signal.SIGKILL)
    try:
        with transaction.atomic():
            mark.enqueue(path)
            print("enqueued", flush=True)  # noqa: T201 - the test waits for it
            sys.stdin.readline()
            if how == "roll-back":
                raise Undo
    except Undo:
        return


if __name__ == "__main__":
    main(*sys.argv[1:])
