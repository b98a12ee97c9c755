"""What of all runs somebody may see."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from channels.db import database_sync_to_async
from django.db.models import QuerySet

from consumers.access.onlooker import narrowed, visible
from tasks.models import TaskRun

if TYPE_CHECKING:
    from consumers.access.rule import User

__all__ = ["Sight"]


class Sight:
    """That of one user, for as long as they look."""

    def __init__(self, user: "User") -> None:
        self.user = user

    def narrow(self, runs: QuerySet[TaskRun]) -> QuerySet[TaskRun]:
        """*runs* without some that they may not see, by query."""
        return narrowed(self.user, runs)

    async def see(self, runs: Sequence[TaskRun]) -> list[TaskRun]:
        """Those they may see: ``AUTHZ`` is asked for each of them, now."""
        return await visible(self.user, runs, database_sync_to_async)
