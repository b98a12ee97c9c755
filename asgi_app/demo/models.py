"""Imports of catalogues, and the rows they brought."""

from django.db import models

from asgi_app.demo import catalog

__all__ = ["CatalogImport", "CatalogRow"]


class CatalogImport(models.Model):
    """A file to import. It is kept in the database, where every process can read it."""

    name = models.CharField(max_length=100)
    #: The file's text; empty: the bundled catalogue.
    text = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name

    def products(self) -> list[catalog.Product]:
        """What the file holds; :class:`CatalogError` if it is no catalogue."""
        return catalog.read(self.text or catalog.decode(catalog.BUNDLED.read_bytes()))


class CatalogRow(models.Model):
    """A product, by its place in the file it came with."""

    source = models.ForeignKey(CatalogImport, on_delete=models.CASCADE, related_name="rows")
    #: 1, 2, 3 … in the order of the file.
    number = models.PositiveIntegerField()
    sku = models.CharField(max_length=40)
    name = models.CharField(max_length=200)
    category = models.CharField(max_length=80)
    price = models.DecimalField(max_digits=9, decimal_places=2)
    stock = models.PositiveIntegerField()
    description = models.TextField(blank=True)

    class Meta:
        ordering = ("source", "number")
        constraints = (
            # What makes an import repeatable: a row that is there already is left alone.
            models.UniqueConstraint(fields=("source", "number"), name="headway_demo_row"),
        )

    def __str__(self) -> str:
        return f"{self.sku} {self.name}"
