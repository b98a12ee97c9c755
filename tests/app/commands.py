"""Tasks whose functions name a program."""

import sys
from typing import Any

from tasks import Command, task

__all__: list[str] = []


@task(runner="command")
def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-S", "-u", "-c", code, *arguments]


@task(runner="command")
async def awaited(code: str) -> Command:
    return Command([sys.executable, "-S", "-u", "-c", code])


@task(runner="command")
def fed(code: str, text: str) -> Command:
    return Command([sys.executable, "-S", "-u", "-c", code], stdin_text=text)


@task(runner="command")
def shell(line: str) -> Command:
    return Command(line, shell=True)


@task(runner="command")
def awk(program: str) -> list[str]:
    return ["awk", program]


@task(runner="command")
def returned(value: Any) -> Any:
    return value
