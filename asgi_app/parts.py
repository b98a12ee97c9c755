"""What a process runs, by its role."""

from asgi_app.lifecycle import Parts
from consumers.hub import get_hub
from tasks.conf import conf
from tasks.engine.children import Child
from tasks.engine.supervisor import Supervisor

__all__ = ["build"]


def build() -> Parts:
    """Supervisor and hub. A ``web`` process executes nothing, a ``worker`` watches nothing."""
    if conf().role == "worker":
        supervisor = Supervisor()
        return Parts(supervisor, (supervisor.ready,), close=lambda: None)
    hub = get_hub()
    supervisor = Supervisor(
        execute=conf().role != "web",
        children=[Child("hub", hub.serve)],
        on_drained=hub.close,
    )
    return Parts(supervisor, (supervisor.ready, hub.ready), hub.close)
