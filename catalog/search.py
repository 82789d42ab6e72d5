"""Browsing and searching: filters, words with prefixes, and typing errors (spec 4 "Catalog")."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchRank, TrigramWordSimilarity
from django.db import connection, transaction
from django.db.models import F, FloatField, Q, QuerySet
from django.db.models.functions import Cast

from aiffinity.lib.cursors import page_in_order
from aiffinity.lib.envelope import Page
from catalog.listings import browsable_versions, listing_document, with_listing_fields
from packages.models import Version

WORD = re.compile(r"\w+")
MAX_WORDS = 8
MAX_SWAPS = 20
# One letter too many, too few or wrong leaves about half of a short word's trigrams.
MIN_WORD_SIMILARITY = 0.45

_POPULAR = ("-package__install_count", "-package__listed_at", "pk")
_BEST = ("-score", *_POPULAR)
# Nobody has rated yet: every Bayesian mean is the prior one, and the tie goes to the number of installs.
SORTS: dict[str, tuple[str, ...]] = {
    "popular": _POPULAR,
    "recent": ("-package__listed_at", "pk"),
    "rating": _POPULAR,
}


@dataclass(frozen=True)
class CatalogQuery:
    """What is looked for; without `sort` the best match of `q` comes first, without both the most popular."""

    q: str = ""
    category: str = ""
    risk_tier: str = ""
    sort: str = ""
    limit: int = 20
    offset: int = 0
    cursor: str | None = None


def find_listings(query: CatalogQuery) -> Page:
    """Return a page of listing documents: one count and one select, two more where words had typing errors."""
    versions = _filtered(query)
    words = WORD.findall(query.q)[:MAX_WORDS]
    if not query.q.strip():
        return _page(versions, SORTS[query.sort or "popular"], query)
    if not words:
        return _page(versions.none(), _POPULAR, query)
    order = SORTS[query.sort] if query.sort else _BEST
    page = _page(_by_words(versions, words), order, query)
    if page.pagination.total:
        return page
    with transaction.atomic():
        _set_similarity()
        return _page(_by_likeness(versions, words), order, query)


def _filtered(query: CatalogQuery) -> QuerySet[Version]:
    versions = browsable_versions()
    if query.category:
        versions = versions.filter(package__category=query.category)
    return versions.filter(risk_tier=query.risk_tier) if query.risk_tier else versions


def _by_words(versions: QuerySet[Version], words: list[str]) -> QuerySet[Version]:
    """Match packages that have every word, or one that begins with it."""
    wanted = _any_of_each([[word] for word in words])
    found = versions.filter(package__search_document__vector=wanted)
    return _scored(found, SearchRank(F("package__search_document__vector"), wanted))


def _by_likeness(versions: QuerySet[Version], words: list[str]) -> QuerySet[Version]:
    """Match packages that have something like every word: by trigrams, or with two letters swapped.

    Swapped letters are tried out, because they leave too few trigrams of a short word ("strom").
    """
    for word in words:
        is_alike = Q(package__search_document__text__trigram_word_similar=word)
        is_swapped = Q(package__search_document__vector=_any_of_each([swapped_letters(word)]))
        versions = versions.filter(is_alike | is_swapped)
    likeness = reduce(add, (TrigramWordSimilarity(word, "package__search_document__text") for word in words))
    return _scored(versions, likeness)


def swapped_letters(word: str) -> list[str]:
    """Return a word and every form of it with two neighbouring letters swapped; of long words the first ones."""
    swaps = (
        word[:place] + word[place + 1] + word[place] + word[place + 2 :]
        for place in range(min(len(word), MAX_SWAPS) - 1)
    )
    return [word, *swaps]


def _any_of_each(groups: list[list[str]]) -> SearchQuery:
    """Ask for one word of every group, or one that begins with it; words hold letters, digits and _ alone."""
    groups_asked = ("(" + " | ".join(f"'{word}':*" for word in group) + ")" for group in groups)
    return SearchQuery(" & ".join(groups_asked), search_type="raw", config="simple")


def _scored(versions: QuerySet[Version], score: Any) -> QuerySet[Version]:
    """Annotate `score` with all its digits: PostgreSQL computes with fewer, and a cursor names a score exactly."""
    return versions.annotate(score=Cast(score, FloatField()))


def _set_similarity() -> None:
    with connection.cursor() as cursor:
        value = str(MIN_WORD_SIMILARITY)
        cursor.execute("SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)", [value])


def _page(versions: QuerySet[Version], order: Sequence[str], query: CatalogQuery) -> Page:
    total = versions.count()
    rows = with_listing_fields(versions) if total else versions.none()
    return page_in_order(
        rows,
        listing_document,
        order=order,
        total=total,
        limit=query.limit,
        offset=query.offset,
        cursor=query.cursor,
    )
