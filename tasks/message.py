"""The table of what was sent to runs."""

from django.db import models

__all__ = ["Message"]


class Message(models.Model):
    """What somebody has sent to a run. Rows are only ever added, and go with the run.

    They stay when an attempt has received them: the next one begins with the first again.
    """

    pk = models.CompositePrimaryKey("run_id", "number")
    run_id = models.UUIDField()
    #: 1, 2, 3 … in the order in which they were sent.
    number = models.PositiveIntegerField()
    #: By the database's clock.
    sent_at = models.DateTimeField()
    #: JSON text.
    data = models.TextField()

    class Meta:
        app_label = "headway_tasks"
        db_table = "headway_message"

    def __str__(self) -> str:
        return f"{self.run_id} {self.number}"
