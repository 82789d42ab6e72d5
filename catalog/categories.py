"""The categories under which packages are found: a fixed list, so that the catalog has shelves and not tags."""

from typing import NamedTuple

from django.db.models import Count

from catalog.listings import browsable_versions


class Category(NamedTuple):
    """One shelf: `slug` is what a package's `category` holds, `name` is for readers."""

    slug: str
    name: str


CATEGORIES: tuple[Category, ...] = (
    Category("business", "Business"),
    Category("communication", "Communication"),
    Category("developer-tools", "Developer tools"),
    Category("education", "Education"),
    Category("entertainment", "Entertainment"),
    Category("finance", "Finance"),
    Category("food", "Food and drink"),
    Category("health", "Health and fitness"),
    Category("home", "Home"),
    Category("lifestyle", "Lifestyle"),
    Category("music", "Music"),
    Category("news", "News"),
    Category("productivity", "Productivity"),
    Category("shopping", "Shopping"),
    Category("social", "Social"),
    Category("sports", "Sports"),
    Category("travel", "Travel"),
    Category("utilities", "Utilities"),
    Category("weather", "Weather"),
)


def counted_categories() -> list[dict[str, object]]:
    """Return every category with the number of packages that its list shows."""
    rows = browsable_versions().values_list("package__category").annotate(Count("pk"))
    counts: dict[str, int] = dict(rows.values_list("package__category", "pk__count"))
    return [{"slug": each.slug, "name": each.name, "package_count": counts.get(each.slug, 0)} for each in CATEGORIES]
