"""``{% load headway %}``: runs in a project's own pages."""

from typing import Any
from uuid import UUID

from django import template

from consumers.views.firstpaint import first_paint, text_up_to
from tasks.handles import Handle
from tasks.models import TaskRun

__all__ = ["headway_run", "register"]

register = template.Library()


@register.inclusion_tag("headway/run.html")
def headway_run(
    run: TaskRun | Handle | UUID | str, label: str = "Run", text: bool = False
) -> dict[str, Any]:
    """A run's state now, in an element that goes on after it.

    *run* is a run, a handle, or an id; the last queries. ``text=True`` shows what the run has
    appended too, which queries. Whether the visitor may see it is for the view to decide, as
    with all else that it renders.
    """
    paint = first_paint(run)
    return {"run": paint, "label": label, "text": text_up_to(paint) if text else ""}
