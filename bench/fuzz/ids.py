"""Ids of what there is on the platform, by the path parameters that they stand for together."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import QuerySet

from capabilities.models import Install
from packages.models import Package, Review, ValidationRun, Version
from providers.models import App
from runtime.models import CapabilityTemplate, Delivery, NamedSecret, Recovery

ROWS_KEPT = 50
FRESH_SECONDS = 2.0
Row = tuple[str, ...]


def _rows(rows: "QuerySet[Any]", *fields: str) -> Callable[[], list[Row]]:
    return lambda: list(rows.order_by("-pk").values_list(*fields)[:ROWS_KEPT])


# Newest first. What stands below something else comes with it, so that a path leads somewhere.
ROWS: dict[Row, Callable[[], list[Row]]] = {
    ("app_id",): _rows(App.objects.all(), "pk"),
    ("app_id", "name"): _rows(CapabilityTemplate.objects.all(), "runtime_app_id", "name"),
    ("app_id", "key"): _rows(NamedSecret.objects.all(), "runtime_app_id", "key"),
    ("app_id", "delivery_id"): _rows(Delivery.objects.all(), "endpoint_id", "pk"),
    ("app_id", "recovery_id"): _rows(Recovery.objects.all(), "endpoint_id", "pk"),
    ("capability_id",): _rows(CapabilityTemplate.objects.all(), "pk"),
    ("package_id",): _rows(Package.objects.all(), "pk"),
    ("id_or_slug",): _rows(Package.objects.all(), "slug"),
    ("package_id", "version_id"): _rows(Version.objects.all(), "package_id", "pk"),
    ("package_id", "version_id", "run_id"): _rows(
        ValidationRun.objects.all(), "version__package_id", "version_id", "pk"
    ),
    ("package_id", "version_id", "review_id"): _rows(Review.objects.all(), "version__package_id", "version_id", "pk"),
    ("install_id",): _rows(Install.objects.all(), "pk"),
}


class Ids:
    """The rows as they were up to two seconds ago: the fuzz makes and deletes meanwhile."""

    def __init__(self) -> None:
        self._names = {frozenset(names): names for names in ROWS}
        self._seen: dict[Row, tuple[float, list[Row]]] = {}

    def of(self, parameters: Iterable[str]) -> list[dict[str, str]]:
        """Return what the parameters of a path, in any order, can be together, newest first."""
        names = self._names[frozenset(parameters)]
        seen_at, rows = self._seen.get(names, (-FRESH_SECONDS, []))
        if time.monotonic() - seen_at >= FRESH_SECONDS:
            rows = ROWS[names]()
            self._seen[names] = time.monotonic(), rows
        return [dict(zip(names, row, strict=True)) for row in rows]
