"""Events in the shape that pages of the streaming coordinator parse. Pure, no I/O.

A block is ``id:``, ``event:`` and one line of ``data:``: the fields of the event itself, and
``_task_id``, ``_app``, ``_model`` and ``_timestamp``. Every event of the run's log is one
block with an id of its own, so a client that comes again continues where it was.

Names are the author's own. What Headway says is called ``run.queued``, ``run.started``,
``run.retrying`` and ``run.stopping``, and the last one ``run.finished``, or ``error`` or
``cancelled``, by how the run ended; it has ``"_final": true``.
"""

from consumers import wire
from consumers.feeds.chunk import Chunk
from consumers.streams.taskcursor import event_id
from consumers.wire import type_of
from tasks.codec import decode, encode
from tasks.events import FINISHED, QUEUED, RETRYING, STARTED, STOPPING, STREAM
from tasks.stream_task import StreamTask

__all__ = ["HEARTBEAT", "TaskFrames", "opening"]

# No block ends here: httpx-sse would take one without data for an event, and who decodes the
# data of each as JSON would fail.
HEARTBEAT = b": heartbeat\n"

_OURS = {name.encode(): f"run.{name}".encode() for name in (QUEUED, STARTED, RETRYING, STOPPING)}
_FINISHED, _STREAM = FINISHED.encode(), STREAM.encode()
_ENDS = {"SUCCESSFUL": b"run.finished", "CANCELLED": b"cancelled"}


def opening(heartbeat: float) -> bytes:
    """See :func:`consumers.wire.opening`."""
    return wire.opening(heartbeat).removesuffix(b"\n")


class TaskFrames:
    """Envelopes of one task's runs, as its viewers get them."""

    def __init__(self, task: StreamTask) -> None:
        pk = task.pk if isinstance(task.pk, int) else str(task.pk)
        meta = task._meta
        named = {"_task_id": pk, "_app": meta.app_label, "_model": type(task).__name__}
        self._named = encode(named)[1:-1].encode()

    def of_chunk(self, chunk: Chunk) -> bytes:
        """The events of a chunk, made once for all who watch the task."""
        return chunk.form("task", self._encode)

    def frame(self, seq: int, envelope: bytes) -> bytes:
        """One event."""
        name, data, last = _translated(type_of(envelope), _after(envelope, b'"data":')[:-1])
        id_ = event_id(seq, _text(envelope, b'"run":"').decode())
        return self.block(id_, name, data, _text(envelope, b'"at":"'), last)

    def block(self, id_: str, name: bytes, data: bytes, at: bytes, last: bool = False) -> bytes:
        own = data[1:-1] if data.startswith(b"{") else b'"value":%b' % data
        fields = [own] if own else []
        fields += [self._named, b'"_timestamp":"%b"' % at, *([b'"_final":true'] if last else [])]
        head = b"id: %b\n" % id_.encode() if id_ else b""
        return head + b"event: %b\ndata: {%b}\n\n" % (name, b",".join(fields))

    def _encode(self, chunk: Chunk) -> bytes:
        return b"".join(map(self.frame, range(chunk.first, chunk.last + 1), chunk.envelopes))


def _text(envelope: bytes, mark: bytes) -> bytes:
    return _after(envelope, mark).partition(b'"')[0]


def _after(envelope: bytes, mark: bytes) -> bytes:
    # Neither the id of a run nor a type can hold a quote, so the first one is the one.
    return envelope[envelope.index(mark) + len(mark) :]


def _translated(type_: bytes, data: bytes) -> tuple[bytes, bytes, bool]:
    """Name and data of an event for a viewer, and whether it is the last one."""
    if type_ == _FINISHED:
        return *_end(data), True
    if type_ == _STREAM:
        sent = decode(data)
        return sent["event"].encode(), encode(sent["data"]).encode(), False
    return _OURS.get(type_, type_), data, False


def _end(data: bytes) -> tuple[bytes, bytes]:
    content = decode(data)
    status = content["status"]
    if status == "SUCCESSFUL":
        return _ENDS[status], data
    error = content.get("error") or {}
    kind = error.get("type", "")
    told = {"status": status, **error, "error_type": kind.rpartition(".")[2]}
    return _ENDS.get(status, b"error"), encode(told).encode()
