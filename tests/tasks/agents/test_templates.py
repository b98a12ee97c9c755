"""Templates for models: the project's own, strict, and without escaping."""

from pathlib import Path
from typing import Any

import pytest
from django.template import TemplateSyntaxError

from tasks.agents.errors import MissingVariable
from tasks.agents.templates import Prompt


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ a }} {a} $a", "<b> {a} $a"),
        ("{% for x in list %}{{ forloop.counter }}{{ x.name|upper }}{% endfor %}", "1<X>2<Y>"),
        ("{% with c=a %}{{ c }}{% endwith %}", "<b>"),
        ("{% if none %}no{% else %}{{ none|default:'-' }}{% endif %}", "-"),
        ("{% if list and a %}both{% endif %}", "both"),
        ("{{ source }}", "{{ a }}"),
    ],
)
def test_what_is_rendered(source: str, text: str) -> None:
    values = {
        "a": "<b>",
        "list": [{"name": "<x>"}, {"name": "<y>"}],
        "none": None,
        "source": "{{ a }}",
    }
    assert Prompt(source).render(values) == text


@pytest.mark.parametrize(
    "source",
    [
        "{{ b }}",
        "{{ a.b }}",
        "{{ a.b.c|default:'' }}",
        "{% if b %}{% endif %}",
        "{% for x in b %}{% endfor %}",
        "{% firstof b a %}",
        "{% with c=b %}{% endwith %}",
        "{% include b %}",
    ],
)
def test_what_is_missing(source: str) -> None:
    with pytest.raises(MissingVariable, match=r"needs '(b|a\.b)"):
        Prompt(source).render({"a": {}})


def test_the_projects_own_files(tmp_path: Path, settings: Any) -> None:
    (tmp_path / "terms.txt").write_text("{{ a }} & {% include 'more.txt' %}")
    (tmp_path / "more.txt").write_text("{{ b }}")
    backend = "django.template.backends.django.DjangoTemplates"
    settings.TEMPLATES = [{"BACKEND": backend, "DIRS": [tmp_path]}]
    prompt = Prompt('{% include "terms.txt" %}')
    assert prompt.render({"a": "<a>", "b": "<b>"}) == "<a> & <b>"
    with pytest.raises(MissingVariable, match="needs 'b'"):
        prompt.render({"a": "<a>"})


def test_a_template_that_is_none() -> None:
    with pytest.raises(TemplateSyntaxError):
        Prompt("{% endif %}").check()
