"""The test's hands inside of a server: views as a project has them."""

import json

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from tasks.coordinator import coordinator
from tasks.models import TaskRun
from tasks.streaming.lookup import find_model
from tests.streamed.models import ContinueTask


@csrf_exempt
async def make(request: HttpRequest, name: str) -> JsonResponse:
    """A row with the fields of the body; started if the query says so."""
    model = find_model(name)
    task = await model._default_manager.acreate(**json.loads(request.body or b"{}"))
    if "start" in request.GET:
        await coordinator.start_task(task)
    return JsonResponse({"pk": task.pk, "run": task.run_id and str(task.run_id)})


@csrf_exempt
def start(request: HttpRequest, name: str, pk: int) -> JsonResponse:
    """In sync code."""
    coordinator.start_task(coordinator.get_task_instance(name, pk))
    return JsonResponse({"running": coordinator.is_task_running(name, pk)})


@csrf_exempt
async def running(request: HttpRequest, name: str, pk: int) -> JsonResponse:
    return JsonResponse({"running": await coordinator.is_task_running(name, pk)})


@csrf_exempt
async def go_on(request: HttpRequest, pk: int) -> JsonResponse:
    await ContinueTask._default_manager.filter(pk=pk).aupdate(continue_field=True)
    return JsonResponse({})


async def data(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"fetched": [1, 2, 3]})


@csrf_exempt
async def runs(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"count": await TaskRun.objects.acount()})
