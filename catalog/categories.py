"""The categories of the catalog with the number of packages on each shelf."""

from django.db.models import Count

from catalog.listings import browsable_versions
from packages.categories import CATEGORIES


def counted_categories() -> list[dict[str, object]]:
    """Return every category with the number of packages that its list shows."""
    rows = browsable_versions().values_list("package__category").annotate(Count("pk"))
    counts: dict[str, int] = dict(rows.values_list("package__category", "pk__count"))
    return [{"slug": each.slug, "name": each.name, "package_count": counts.get(each.slug, 0)} for each in CATEGORIES]
