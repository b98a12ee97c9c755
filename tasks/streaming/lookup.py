"""The models of a project that are StreamTasks, by the names that callers and URLs use."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from django.apps import apps
from django.core.exceptions import ValidationError

from tasks.engine import store
from tasks.exceptions import AmbiguousModel, RunDoesNotExist, UnknownModel
from tasks.stream_task import StreamTask

if TYPE_CHECKING:
    from tasks.models import TaskRun

__all__ = [
    "TASK_PATH",
    "find_model",
    "find_row",
    "key_of",
    "run_of",
    "stream_models",
]

#: Of the task whose runs execute them. It is imported when one is started or executed, and
#: not before: making a task asks ``settings.TASKS``, which may not be Headway's.
TASK_PATH = "tasks.stream_run.run_stream_task"


def stream_models() -> Iterator[type[StreamTask]]:
    """All of them, in the order of the apps."""
    for model in apps.get_models():
        if issubclass(model, StreamTask):
            yield model


def find_model(name: str, app_label: str | None = None) -> type[StreamTask]:
    """The model called *name*, in any case of letters; in any app if none is given."""
    found = [
        model
        for model in stream_models()
        if model._meta.model_name == name.lower() and app_label in (None, model._meta.app_label)
    ]
    if len(found) > 1:
        raise AmbiguousModel(f"Several apps have a StreamTask {name!r}: name the app as well.")
    if not found:
        raise UnknownModel(f"There is no StreamTask {'.'.join(filter(None, (app_label, name)))!r}.")
    return found[0]


def key_of(model: type[StreamTask], pk: Any) -> Any:
    """*pk*, which may be text, as the model has it; ``ValueError`` where no row can have it."""
    try:
        return cast(Any, model._meta.pk).to_python(pk)
    except ValidationError:
        raise ValueError(f"{pk!r} is no key of a {model._meta.object_name}.") from None


def find_row(model: type[StreamTask], pk: Any) -> StreamTask | None:
    """The row, if there is one."""
    return model._default_manager.filter(pk=key_of(model, pk)).first()


def run_of(task: StreamTask) -> "TaskRun | None":
    """Its newest run; None if it has had none, or that was deleted for its age."""
    try:
        return None if task.run_id is None else store.fetch_run(task.run_id)
    except RunDoesNotExist:
        return None
