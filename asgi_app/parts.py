"""What a process runs, by its role."""

from asgi_app.lifecycle import Parts
from consumers.feeds.audience import Audience
from consumers.feeds.hub import get_hub
from tasks.conf import conf
from tasks.engine.news.wakers import commits
from tasks.engine.process.children import Child
from tasks.engine.supervisor import Supervisor

__all__ = ["build"]


def build() -> Parts:
    """Supervisor and hub. A ``web`` process executes nothing, a ``worker`` watches nothing."""
    if conf().role == "worker":
        supervisor = Supervisor()
        return Parts(supervisor, (supervisor.ready,), close=lambda: None)
    hub = get_hub()
    children = [
        Child("hub", hub.serve),
        Child("audience", Audience(hub.audience).serve),
    ]
    if conf().role == "web":  # all events come from other processes
        children += commits(hub.look)
    supervisor = Supervisor(
        execute=conf().role != "web",
        children=children,
        on_drained=hub.close,
    )
    return Parts(supervisor, (supervisor.ready, hub.ready), hub.close)
