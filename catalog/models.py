"""The text by which a package is found."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.lookups import TrigramWordSimilar
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from packages.models import Package

models.TextField.register_lookup(TrigramWordSimilar)


class SearchDocument(models.Model):
    """Name, keywords, description and publisher of one package, for words (`vector`) and for typing errors (`text`).

    Triggers of the database write it with every change of a package or of a company's name (migration
    0002), so that nobody has to remember it; the same triggers delete it with its package.
    """

    package = models.OneToOneField(
        Package,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        primary_key=True,
        related_name="search_document",
    )
    text = models.TextField()
    vector = SearchVectorField()

    class Meta:
        indexes = [
            GinIndex(fields=["vector"], name="search_document_words"),
            GinIndex(fields=["text"], opclasses=["gin_trgm_ops"], name="search_document_trigrams"),
        ]

    def __str__(self) -> str:
        return f"search text of {self.package_id}"
