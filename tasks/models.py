"""The tables of Headway: runs, the events of their logs, and processes that execute or watch."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from tasks.fields import JSONTextField
from tasks.ids import new_run_id
from tasks.message import Message
from tasks.states import TERMINAL, CancelRequest, RunStatus
from tasks.stream_task import StreamTask

__all__ = ["Audience", "Message", "StreamTask", "TaskEvent", "TaskRun", "Worker"]


class TaskRun(models.Model):
    """One enqueued execution of a task. The truth about a run is this row."""

    id = models.UUIDField(primary_key=True, default=new_run_id, editable=False)
    #: Module path of the task's function.
    task = models.CharField(max_length=255)
    args = JSONTextField(default=list)
    kwargs = JSONTextField(default=dict)
    queue_name = models.CharField(max_length=100, default="default")
    #: −100 to 100; the higher one is claimed first.
    priority = models.SmallIntegerField(default=0)
    #: Whoever sets this here, and not by enqueueing, sets ``deferred`` as well.
    run_after = models.DateTimeField(null=True)
    #: Waits for ``run_after``; the first claimer to see that it has come clears this.
    deferred = models.BooleanField(default=False)
    backend = models.CharField(max_length=100, default="default")

    status = models.CharField(max_length=10, choices=RunStatus.choices, default=RunStatus.READY)
    #: Number of the latest try; one that a drain interrupted is not counted.
    attempt = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField(default=1)
    #: Raised by every claim; a write that carries an older one changes nothing.
    fence = models.PositiveBigIntegerField(default=0)
    #: Seconds an attempt may take.
    timeout = models.FloatField(null=True)
    worker_id = models.CharField(max_length=100, default="")
    #: By the database's clock.
    lease_expires_at = models.DateTimeField(null=True)
    cancel_requested = models.CharField(
        max_length=4, choices=CancelRequest.choices, default=CancelRequest.NONE, blank=True
    )
    #: It was asked to stop, and went on for the whole grace period.
    stop_ignored = models.BooleanField(default=False, db_default=False)

    #: Number of the newest event; the log is 1 … last_seq without a hole.
    last_seq = models.PositiveBigIntegerField(default=0)
    #: Data of the newest progress event.
    progress = JSONTextField(null=True)
    metadata = models.JSONField(default=dict)
    #: How it is executed; see :class:`tasks.definition.options.Options`. Empty: as its
    #: function suggests.
    options = JSONTextField(default=dict, db_default={})
    return_value = JSONTextField(null=True)
    #: One entry for each failed attempt: exception, message, traceback.
    errors = JSONTextField(default=list)
    unique_key = models.CharField(max_length=255, null=True)  # noqa: DJ001 - NULLs are distinct
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )

    #: Of its enqueueing; see :mod:`tasks.surroundings.circumstances`.
    context = JSONTextField(default=dict, db_default={})
    enqueued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    last_attempted_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    worker_ids = JSONTextField(default=list)
    #: A finished run is kept for its watchers until then, by the database's clock.
    watched_until = models.DateTimeField(null=True)
    #: How often all its grants were revoked: one that was made before holds no more.
    grants_revoked = models.IntegerField(default=0, db_default=0)
    #: When its state changed last, in an order that readers can go by; what it means is told in
    #: :mod:`tasks.engine.store.changes`. None: before there was such an order.
    changed = models.BigIntegerField(null=True)

    class Meta:
        db_table = "headway_run"
        ordering = ("-id",)
        indexes = (
            # The claim's own: what may be taken now, in the order it is taken. It holds no run
            # that is done or deferred, so neither adds to its cost.
            models.Index(
                F("queue_name").asc(),
                F("priority").desc(),
                F("id").asc(),
                name="headway_run_claim",
                condition=Q(status=RunStatus.READY, deferred=False),
            ),
            models.Index(
                "run_after",
                name="headway_run_due",
                condition=Q(status=RunStatus.READY, deferred=True),
            ),
            models.Index(
                "lease_expires_at",
                name="headway_run_lease",
                condition=Q(status=RunStatus.RUNNING),
            ),
            # Retention's: the oldest of each queue and status.
            models.Index(
                fields=("queue_name", "status", "id"),
                name="headway_run_done",
                condition=Q(status__in=sorted(TERMINAL)),
            ),
            # Most runs have no user and no key: these need not be looked after.
            models.Index(
                fields=("user", "-id"),
                name="headway_run_user",
                condition=Q(user__isnull=False),
            ),
            # Lists': what has changed since.
            models.Index(
                fields=("changed",),
                name="headway_run_changed",
                condition=Q(changed__isnull=False),
            ),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("unique_key",),
                name="headway_run_unique_key",
                condition=Q(unique_key__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.task} {self.id} {self.status}"

    @property
    def is_finished(self) -> bool:
        return self.status in TERMINAL

    @property
    def stopping(self) -> str | None:
        """``stop`` or ``kill`` from when that was asked until the run has really ended."""
        return None if self.is_finished else self.cancel_requested or None

    @property
    def error(self) -> dict[str, Any] | None:
        """The newest error, without its traceback: what a watcher may see."""
        if not self.errors:
            return None
        newest = self.errors[-1]
        return {"type": newest["type"], "message": newest["message"]}


class TaskEvent(models.Model):
    """A numbered entry in a run's log. Rows are only ever added."""

    pk = models.CompositePrimaryKey("run_id", "seq")
    #: No constraint of the database's: whoever adds an event has the run locked, and
    #: PostgreSQL would look the run up again for each of them.
    run = models.ForeignKey(
        TaskRun,
        on_delete=models.CASCADE,
        related_name="events",
        db_index=False,
        db_constraint=False,
    )
    seq = models.PositiveBigIntegerField()
    type = models.CharField(max_length=64)
    at = models.DateTimeField()
    #: JSON text: exactly the bytes that go on the wire.
    data = models.TextField()

    class Meta:
        db_table = "headway_event"
        ordering = ("run", "seq")

    def __str__(self) -> str:
        return f"{self.run_id}/{self.seq} {self.type}"


class Worker(models.Model):
    """A process that executes runs, as it says of itself; gone when it is silent for long."""

    #: What ``TaskRun.worker_id`` holds.
    id = models.CharField(max_length=100, primary_key=True)
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    role = models.CharField(max_length=10)
    #: Names of the queues it takes runs from; empty: all.
    queues = JSONTextField(default=list)
    concurrency = models.PositiveIntegerField()
    #: Of Headway, in this process.
    version = models.CharField(max_length=40)
    #: Import path of the Channels layer by which it hears of others.
    layer = models.CharField(max_length=255)
    draining = models.BooleanField(default=False)
    #: Both by the database's clock.
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "headway_worker"
        ordering = ("started_at",)

    def __str__(self) -> str:
        return self.id


class Audience(models.Model):
    """How many watch a run in one process, as that says; past when it is silent for long."""

    pk = models.CompositePrimaryKey("run_id", "process")
    run_id = models.UUIDField()
    process = models.CharField(max_length=100)
    watchers = models.PositiveIntegerField()
    #: By the database's clock.
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "headway_audience"

    def __str__(self) -> str:
        return f"{self.run_id} {self.process} {self.watchers}"
