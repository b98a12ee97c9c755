"""The functions that specs name, of the project's apps or of a spec's own bundle.

A spec may name what the project owns: functions in the packages of ``INSTALLED_APPS``, and in
the modules that lie beside its ``taskspec.json``. Those are imported under a name that no other
bundle has, so two bundles may each have a ``jobs.py``; among themselves they import relatively
(``from . import helpers``).
"""

import inspect
import sys
from collections.abc import Callable
from hashlib import sha256
from importlib import import_module, invalidate_caches
from pathlib import Path
from types import ModuleType
from typing import Any

from django.apps import apps

from tasks.exceptions import InvalidSpec
from tasks.task import Task

__all__ = ["find_function"]

_PREFIX = "headway_bundle_"


def find_function(target: str, bundle: str | None) -> Callable[..., Any] | Task[..., Any]:
    """The function, or the task, that ``module:function`` names. :class:`InvalidSpec`."""
    module_name, _, name = target.partition(":")
    own = bundle is not None and _lies_in(Path(bundle), module_name)
    if not own:
        _check_owned(module_name, bundle)
    try:
        module = _of_bundle(Path(str(bundle)), module_name) if own else import_module(module_name)
    except Exception as error:  # whatever the module does when it is imported
        raise InvalidSpec(f"/target: {module_name} cannot be imported: {error!r}") from error
    found = getattr(module, name, None)
    if own and isinstance(found, Task):
        raise InvalidSpec(
            f"/target: {target} is a task, which other processes do not know: in a bundle, leave"
            " @task out and give its options in the spec."
        )
    if isinstance(found, Task) or (callable(found) and not inspect.isclass(found)):
        return found
    raise InvalidSpec(f"/target: {module_name} has no function {name!r}.")


def _lies_in(bundle: Path, module_name: str) -> bool:
    place = bundle.joinpath(*module_name.split("."))
    return place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()


def _check_owned(module_name: str, bundle: str | None) -> None:
    packages = [app.name for app in apps.get_app_configs()]
    if not any(f"{module_name}.".startswith(f"{package}.") for package in packages):
        beside = f", nor beside {bundle}/taskspec.json" if bundle else ""
        raise InvalidSpec(
            f"/target: {module_name} is in no app of INSTALLED_APPS{beside}. A spec names what the"
            " project owns: move the function there, or make the spec a bundle with its module."
        )


def _of_bundle(bundle: Path, module_name: str) -> ModuleType:
    folder = bundle.resolve()
    package = _PREFIX + sha256(str(folder).encode()).hexdigest()[:16]
    if package not in sys.modules:
        made = ModuleType(package, f"The modules of {folder}.")
        made.__path__ = [str(folder)]
        sys.modules[package] = made
        invalidate_caches()  # the folder may be younger than the last look at it
    return import_module(f"{package}.{module_name}")
