"""The demo's page. Its forms work as plain forms; the script only watches."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from asgi_app.demo import catalog, tasks
from asgi_app.demo.forms import CountdownForm, ImportForm
from asgi_app.demo.models import CatalogImport
from tasks.conf import conf
from tasks.exceptions import MalformedRunId
from tasks.handles import Handle
from tasks.ids import parse_run_id
from tasks.models import TaskRun

__all__ = [
    "bundled",
    "page",
    "page_with_htmx",
    "rows",
    "runs",
    "start_countdown",
    "start_import",
    "start_story",
]

LISTED = 8  # recent runs on the page
SAMPLE = 50  # rows of an import on its page


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The page, with the run that ``?run=`` names."""
    wanted = request.GET.get("run")
    if not wanted:
        return _page(request)
    try:
        run = _runs().filter(pk=parse_run_id(wanted)).first()
    except MalformedRunId:
        run = None
    if run is None:
        return _page(request, status=404, problem="There is no such run.")
    return _page(request, run=run)


@require_safe
def page_with_htmx(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """A run on a page without a script of its own."""
    return render(request, "headway_demo/htmx.html", {"run": get_object_or_404(_runs(), pk=run_id)})


@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    """The list of recent runs alone, for the page to fetch again."""
    return render(request, "headway_demo/runs.html", {"runs": _runs()[:LISTED]})


@require_POST
def start_import(request: HttpRequest) -> HttpResponse:
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, status=400, import_form=form)
    name, text = form.cleaned_data["file"] or (catalog.BUNDLED.name, "")
    # The file and the run that will read it are stored together, or not at all.
    with transaction.atomic():
        source = CatalogImport.objects.create(name=name, text=text)
        task = tasks.import_catalog.using(metadata={"title": f"Import of {name}"})
        handle = task.enqueue(source.pk, pace=form.cleaned_data["pace"] or 0)
    return _watch(request, handle)


@require_POST
def start_story(request: HttpRequest) -> HttpResponse:
    return _watch(request, tasks.tell_story.enqueue())


@require_POST
def start_countdown(request: HttpRequest) -> HttpResponse:
    form = CountdownForm(request.POST)
    if not form.is_valid():
        return _page(request, status=400, countdown_form=form)
    seconds = form.cleaned_data["seconds"]
    task = tasks.countdown.using(metadata={"title": f"Countdown from {seconds}"})
    return _watch(request, task.enqueue(seconds))


@require_safe
def rows(request: HttpRequest, pk: int) -> HttpResponse:
    """What an import has brought into the table so far."""
    source = get_object_or_404(CatalogImport, pk=pk)
    context = {"source": source, "count": source.rows.count(), "rows": source.rows.all()[:SAMPLE]}
    return render(request, "headway_demo/rows.html", context)


@require_safe
def bundled(request: HttpRequest) -> FileResponse:
    """The bundled catalogue, as an example to edit and upload."""
    return FileResponse(catalog.BUNDLED.open("rb"), as_attachment=True, filename="catalog.csv")


def _runs() -> QuerySet[TaskRun]:
    return TaskRun.objects.filter(task__in=[task.module_path for task in tasks.DEMO])


def _page(request: HttpRequest, status: int = 200, **context: Any) -> HttpResponse:
    defaults = {
        "import_form": ImportForm(),
        "countdown_form": CountdownForm(initial={"seconds": 60}),
        "run": None,
        "runs": _runs()[:LISTED],
        "socket_path": conf().websocket_path,
        "via": _via(request),
    }
    return render(request, "headway_demo/page.html", defaults | context, status=status)


def _via(request: HttpRequest) -> str:
    """The transport that the visitor's page has been switched to."""
    wanted = (request.POST or request.GET).get("via")
    return wanted if wanted in ("sse", "websocket") else "auto"


def _watch(request: HttpRequest, handle: Handle) -> HttpResponse:
    """Send the visitor to the run: its id is in the address, so a reload finds it again."""
    query = {"run": handle.id, "via": _via(request)}
    return HttpResponseRedirect(f"{reverse('headway_demo:page')}?{urlencode(query)}")
