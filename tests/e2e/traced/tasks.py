"""A task with spans of its own."""

from asgiref.sync import sync_to_async
from opentelemetry import trace

from tasks import Context, task

tracer = trace.get_tracer(__name__)


def _step() -> None:
    with tracer.start_as_current_span("in a thread"):
        pass


@task(takes_context=True, max_attempts=2)
async def errand(context: Context) -> None:
    """Fails once."""
    with tracer.start_as_current_span("in the coroutine"):
        await context.emit("tick")
    await sync_to_async(_step)()
    if context.attempt == 1:
        raise LookupError("not at home")
