"""What the README says of the settings is what the code does."""

import ast
import re
from pathlib import Path

from tasks.conf import documented

README = (Path(__file__).parent.parent / "README.md").read_text()


def table() -> str:
    return "\n".join(
        f"| `{key}` | `{default!r}` | {doc} |" for key, default, _, doc in documented()
    )


def test_every_setting_is_in_the_table_as_it_is() -> None:
    assert table() in README


def test_its_python_is_python() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) >= 3
    for block in blocks:
        compile(block, "README.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
