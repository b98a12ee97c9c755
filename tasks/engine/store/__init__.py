"""Every SQL statement the engine runs, and no decision.

Plain functions, one transaction each, to be called in a thread that may block. What
they read and write is small value objects; who calls them, and what follows, is the
business of the rest of ``tasks.engine``.
"""

from tasks.engine.store.audience import (
    SILENT,
    audience,
    dismiss,
    note_audience,
    renew_audience,
)
from tasks.engine.store.backlog import Backlog, backlog
from tasks.engine.store.cancel import Waiting, cancel
from tasks.engine.store.changes import Horizon, changed_runs, fetch_runs, horizon
from tasks.engine.store.claims import Claim, Slot, claim, claim_from
from tasks.engine.store.grants import grants_revoked, revoke_grants, rows
from tasks.engine.store.inserts import NewRun, give_key, insert_runs, insert_unique
from tasks.engine.store.leases import Expired, Held, held, renew, rescue
from tasks.engine.store.lists import Wanted, changed_ids, newest_ids
from tasks.engine.store.messages import MOST_MESSAGES, Sent, messages_after, send
from tasks.engine.store.outlines import outlines
from tasks.engine.store.pipelines import (
    StageRun,
    lock_resting,
    owners,
    resting,
    return_values,
    stage_events,
    stage_runs,
    tie,
    untie,
    write_resting,
)
from tasks.engine.store.queues import unserved
from tasks.engine.store.reads import (
    Head,
    clock,
    fetch_run,
    heads,
    queued_data,
    read_events,
    read_text,
    runs_by_key,
)
from tasks.engine.store.retention import Due, discard, due, finished_queues, keep, prunable, prune
from tasks.engine.store.schema import answers, unapplied
from tasks.engine.store.signals import checkpoint, data_version, listen, notified, notify
from tasks.engine.store.workers import (
    LiveWorker,
    WorkerInfo,
    forget_silent,
    leave,
    live_workers,
    show_up,
)
from tasks.engine.store.writes import Change, RunWrite, write

__all__ = [
    "MOST_MESSAGES",
    "SILENT",
    "Backlog",
    "Change",
    "Claim",
    "Due",
    "Expired",
    "Head",
    "Held",
    "Horizon",
    "LiveWorker",
    "NewRun",
    "RunWrite",
    "Sent",
    "Slot",
    "StageRun",
    "Waiting",
    "Wanted",
    "WorkerInfo",
    "answers",
    "audience",
    "backlog",
    "cancel",
    "changed_ids",
    "changed_runs",
    "checkpoint",
    "claim",
    "claim_from",
    "clock",
    "data_version",
    "discard",
    "dismiss",
    "due",
    "fetch_run",
    "fetch_runs",
    "finished_queues",
    "forget_silent",
    "give_key",
    "grants_revoked",
    "heads",
    "held",
    "horizon",
    "insert_runs",
    "insert_unique",
    "keep",
    "leave",
    "listen",
    "live_workers",
    "lock_resting",
    "messages_after",
    "newest_ids",
    "note_audience",
    "notified",
    "notify",
    "outlines",
    "owners",
    "prunable",
    "prune",
    "queued_data",
    "read_events",
    "read_text",
    "renew",
    "renew_audience",
    "rescue",
    "resting",
    "return_values",
    "revoke_grants",
    "rows",
    "runs_by_key",
    "send",
    "show_up",
    "stage_events",
    "stage_runs",
    "tie",
    "unapplied",
    "unserved",
    "untie",
    "write",
    "write_resting",
]
