"""Instructions and prompts: Django templates for a model, not for a browser."""

from functools import cache
from typing import Any, NoReturn

from django.core.signals import setting_changed
from django.template import Context, Engine, Template, engines
from django.template.backends.django import DjangoTemplates

from tasks.agents.errors import MissingVariable

__all__ = ["Prompt"]


class Prompt:
    """A template with the project's own tags, filters and files, in which nothing is escaped.

    A value that was not given is an error. What is given is text: it is not read as a template.
    """

    def __init__(self, source: str) -> None:
        self.source = source

    def check(self) -> None:
        """Raise ``TemplateSyntaxError`` if it is none."""
        Template(self.source, engine=_engine())

    def render(self, values: dict[str, Any]) -> str:
        """:class:`MissingVariable` if it needs more than *values*."""
        template = Template(self.source, engine=_engine())
        return str(template.render(_Values(values, autoescape=False)))


class _Values(Context):
    def __getitem__(self, name: Any) -> Any:
        try:
            return super().__getitem__(name)
        except KeyError:
            raise _missing(name) from None


class _Refusal(str):
    """What Django puts where an attribute is missing: it asks for its text, and gets an error."""

    __slots__ = ()

    def __mod__(self, variable: object) -> NoReturn:
        raise _missing(str(variable))


def _missing(name: str) -> MissingVariable:
    return MissingVariable(f"The template needs {name!r}, which was not given.")


@cache
def _engine() -> Engine:
    refusal = _Refusal("%s")
    for backend in engines.all():
        if isinstance(backend, DjangoTemplates):
            given = backend.engine
            return Engine(
                dirs=given.dirs,
                loaders=given.loaders,
                libraries=given.libraries,
                builtins=given.builtins[len(given.default_builtins) :],
                file_charset=given.file_charset,
                autoescape=False,
                string_if_invalid=refusal,
            )
    return Engine(autoescape=False, string_if_invalid=refusal)


def _forget(*, setting: str, **_: object) -> None:
    if setting == "TEMPLATES":
        _engine.cache_clear()


setting_changed.connect(_forget, dispatch_uid="headway.agents.templates")
