from django.db import models


class Run(models.Model):
    """A delivery round."""

    title = models.CharField(max_length=50)

    def __str__(self):
        return self.title
