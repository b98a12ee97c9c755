"""Taking a pipeline further: note what its stages have come to, start the next, end it.

All of it is one transaction under a lock on the pipeline's row, and what has been done stands
in its log: whoever calls it, however often, and whichever process dies, no stage is started
twice and none is passed over. What a transaction cannot do, asking stages to end, comes after
it, and is done again until it has been done.
"""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.db import DatabaseError, InterfaceError, transaction

from tasks.codec import decode
from tasks.conf import conf
from tasks.definition import registry
from tasks.engine import control, store
from tasks.engine.attempts.endings import End, cancelled, described
from tasks.engine.pipelines.conductor import PIPELINE_TASK
from tasks.engine.pipelines.course import Course, courses
from tasks.engine.store import StageRun
from tasks.engine.store.pipelines import stage_key
from tasks.exceptions import RunDoesNotExist, TaskFailed
from tasks.models import TaskRun
from tasks.pipelines.entry import Entry
from tasks.pipelines.moves import Moves, next_moves
from tasks.specs.templates import STAGE, fill
from tasks.states import TERMINAL, CancelRequest, Ending, RunStatus
from tasks.surroundings import circumstances

__all__ = ["conduct"]


def conduct(run_id: UUID) -> None:
    """Take a pipeline as far as it goes now. Does nothing if it has ended."""
    more = True
    while more:
        cancel = _advance(run_id)
        # A stage that had not begun has ended by that, and the pipeline goes on at once.
        ended = [control.end_stage(run, request) for run, request in cancel]
        more = any(ended)


def _advance(run_id: UUID) -> list[tuple[UUID, CancelRequest]]:
    """One step; returns which stages are to be asked to end."""
    with transaction.atomic(using=conf().database):
        run = store.lock_resting(run_id)
        if run is None or run.task != PIPELINE_TASK:
            return []  # any running run may be asked to end, and nobody looked which it is
        step = _Step(run)
        step.take()
    return step.cancel


class _Step:
    """What one transaction does to a pipeline, which it has locked."""

    def __init__(self, run: TaskRun) -> None:
        self.run = run
        self.plan: dict[str, Any] = run.args[0]
        self.course = courses(store.stage_events([run.pk])).get(run.pk, Course())
        self.entry = Entry(run, len(self.plan["stages"]))
        self.cancel: list[tuple[UUID, CancelRequest]] = []

    def take(self) -> None:
        found = store.stage_runs(list(self.course.live.values()))
        self._note_ends(found)
        request = self.run.cancel_requested
        if request and request != self.course.asked:
            self.entry.stopping(request)
        moves = self._move(request)
        if moves.cancel:
            asked = CancelRequest(moves.cancel)
            self.cancel = [
                (run_id, asked)
                for run_id in self.course.live.values()
                if run_id not in found or found[run_id].cancel_requested not in ("kill", asked)
            ]
        for name in moves.skip:
            self.entry.skipped(name)
        if moves.end is not None:
            self.entry.end(self._end(moves))
            store.untie(list(self.course.runs.values()))
        self.entry.write()

    def _note_ends(self, found: dict[UUID, StageRun]) -> None:
        for name, run_id in self.course.live.items():
            run = found.get(run_id)
            if run is None:
                gone = RunDoesNotExist(f"The run {run_id} of this stage has been deleted.")
                self._ended(name, str(run_id), RunStatus.FAILED, shown(described(gone)))
            elif run.status in TERMINAL:
                errors = decode(run.errors) if run.status != RunStatus.SUCCESSFUL else []
                self._ended(name, str(run_id), run.status, shown(errors[-1]) if errors else None)

    def _move(self, request: str) -> Moves:
        """Start what may begin; what cannot has failed, which may change what may."""
        while True:
            moves = next_moves(self.plan, self.course.ended, self.course.live, request)
            if all(self._start(name) for name in moves.start):
                return moves

    def _start(self, name: str) -> bool:
        stage = next(one for one in self.plan["stages"] if one["name"] == name)
        try:
            with transaction.atomic(using=conf().database):
                run_id = self._enqueue(stage)
        except (DatabaseError, InterfaceError):
            raise
        except Exception as error:  # it would be the same the next time
            self._ended(name, None, RunStatus.FAILED, shown(described(error)))
            return False
        self.course.runs[name] = run_id
        self.entry.started(name, run_id)
        return True

    def _enqueue(self, stage: dict[str, Any]) -> UUID:
        options = {"unique_key": stage_key(self.run.pk, stage["name"]), **stage["options"]}
        if self.run.user_id is not None:
            options["user"] = SimpleNamespace(pk=self.run.user_id)
        task = registry.resolve(stage["task"]).using(**options)
        args, kwargs = fill(stage["args"], self._find), fill(stage["kwargs"], self._find)
        with circumstances.kept(self.run.context):
            handle = task.enqueue(*args, **kwargs)
        store.tie([handle.run_id])
        return handle.run_id

    def _find(self, reference: Mapping[str, Any]) -> Any:
        """What a reference stands for."""
        name = reference.get(STAGE)
        return self.plan["payload"] if name is None else decode(self._text(name))

    def _text(self, name: str) -> str:
        """What a stage returned, as JSON; of one that may fail and has, ``null``."""
        run_id = self.course.runs.get(name)
        found = store.return_values([run_id]).get(run_id) if run_id else None
        return found or "null"

    def _ended(self, name: str, run_id: str | None, status: str, error: Any) -> None:
        self.course.ended[name] = status
        self.course.errors[name] = error
        self.entry.finished(name, run_id, status, error, len(self.course.ended))

    def _end(self, moves: Moves) -> End:
        match moves.end:
            case RunStatus.SUCCESSFUL:
                return End(Ending.RETURNED, value=self._text(self.plan["result"]))
            case RunStatus.CANCELLED:
                return cancelled(self.run.cancel_requested)
        error = self.course.errors.get(moves.culprit or "") or {}
        what = f"{error.get('type', '')}: {error.get('message', '')}"
        failed = TaskFailed(f"The stage {moves.culprit!r} has failed. {what}")
        return End(Ending.RAISED, error=failed)


def shown(error: dict[str, Any]) -> dict[str, Any]:
    """An error without its traceback: what a watcher may see."""
    return {"type": error["type"], "message": error["message"]}
