"""A task for any command: by name, ``headway.command``."""

from tasks.command import Command
from tasks.task import task

__all__ = ["run_command"]


@task(name="headway.command", runner="command")
def run_command(argv: list[str], stdin_text: str | None = None) -> Command:
    """Execute a program with arguments, without a shell.

    Who may enqueue it by name may execute anything: ``AUTHZ`` denies that to all who are not
    staff unless it says otherwise.
    """
    return Command(argv, stdin_text)
