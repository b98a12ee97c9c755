"""For the tests of projects that use Headway. There is no eager mode: a run is a run.

::

    with capture_runs() as runs:          # nothing is stored, nothing executed
        client.post("/orders/", data)
    runs.assert_enqueued(send_invoice, order.pk)

    async with running_supervisor():      # runs are executed, in this process
        handle = await send_invoice.aenqueue(order.pk)
        assert await handle.await_result(10) == "sent"

Without either, a run is stored and waits: :func:`assert_enqueued` looks for it in the database.
"""

from tasks.testing.assertions import (
    aassert_enqueued,
    aassert_not_enqueued,
    assert_enqueued,
    assert_not_enqueued,
)
from tasks.testing.capture import CapturedRun, CapturedRuns, capture_runs
from tasks.testing.supervisor import running_supervisor

__all__ = [
    "CapturedRun",
    "CapturedRuns",
    "aassert_enqueued",
    "aassert_not_enqueued",
    "assert_enqueued",
    "assert_not_enqueued",
    "capture_runs",
    "running_supervisor",
]
