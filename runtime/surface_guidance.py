"""Surface guidance: what a provider may suggest to the surface and never execute (spec 3)."""

from typing import Final

INTENTS: Final = ("ambient_context", "inform", "warn", "celebrate", "act", "compare", "remind")
PLACEMENTS: Final = ("home_widgets", "daily_brief", "detail_view", "search", "notifications", "conversation")
# Each component with the attention that it asks of a reader.
COMPONENT_ATTENTION: Final = {
    "stat_row": 1,
    "sparkline": 2,
    "list": 2,
    "table": 3,
    "timeline": 2,
    "progress": 1,
    "card": 2,
    "chart": 3,
}
COMPONENTS: Final = tuple(COMPONENT_ATTENTION)
