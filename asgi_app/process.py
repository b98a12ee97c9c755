"""What there is once in a process, however many applications it wraps."""

from functools import cache

from asgi_app.applications import Applications
from asgi_app.lifecycle import Lifecycle
from asgi_app.lifespan import Lifespan
from asgi_app.parts import build
from asgi_app.reactor import ReactorHooks
from asgi_app.shutdown import Shutdown
from consumers.views.health import report_readiness
from tasks.engine.process.lastresort import LastResort

__all__ = ["Process", "this_process"]


class Process:
    """One lifecycle, and each way in which a server can bring it up and down."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        last_resort = LastResort()
        self.lifecycle = lifecycle
        self.applications = Applications()
        shutdown = Shutdown(lifecycle, self.applications)
        self.reactor = ReactorHooks(lifecycle, shutdown, last_resort)
        self.lifespan = Lifespan(lifecycle, shutdown, last_resort)


@cache
def this_process() -> Process:
    """This process's own. Made with the first application; nothing starts by that."""
    process = Process(Lifecycle(build))
    process.reactor.hook()
    report_readiness("engine", process.lifecycle.is_ready)
    return process
