"""The categories under which packages are found: a fixed list, so that the catalog has shelves and not tags."""

from typing import NamedTuple


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
CATEGORY_SLUGS: tuple[str, ...] = tuple(each.slug for each in CATEGORIES)
