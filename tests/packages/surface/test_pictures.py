"""Components and capabilities as pictures: what they show."""

import re
from typing import Any

import pytest

from packages.surface import misfit_of, render_capability, render_component
from packages.surface.samples import made_sample
from runtime.descriptors import answer_schema, normalise_descriptor
from runtime.surface_guidance import COMPONENTS
from tests.packages.surface.markup import text_of
from tests.runtime import documents

DOCUMENTED = {body["mode"]: normalise_descriptor(body) for body in documents.TEMPLATES}
WEATHER = {"location": "Oslo", "temperature_c": 21.5, "condition": "sunny", "humidity_pct": 64}
TRANSACTIONS = [
    {"id": f"txn_{day}", "amount": day * 10.5, "merchant": f"Shop {day}", "date": f"2026-01-{day:02d}"}
    for day in range(1, 10)
]


def draw(component: str, mode: str, sample: Any) -> str:
    return text_of(render_component(component, answer_schema(DOCUMENTED[mode]), sample))


def preferring(mode: str, *components: str, **fields: Any) -> dict[str, Any]:
    guidance = {"surface_guidance": {"preferred_components": list(components)}}
    return {**DOCUMENTED[mode], **guidance, **fields}


@pytest.mark.parametrize(
    ("component", "mode", "sample", "text"),
    [
        ("stat_row", "state", WEATHER, "Oslo 21.5 °C Temperature Sunny Condition 64% Humidity"),
        ("progress", "state", WEATHER, "Oslo 64% Humidity 64%"),
        ("card", "state", WEATHER, "Oslo Temperature 21.5 °C Condition Sunny Humidity 64%"),
        (
            "list",
            "history",
            TRANSACTIONS[:2],
            "S Shop 1 1 Jan 2026 10.50 S Shop 2 2 Jan 2026 21",
        ),
        ("table", "history", TRANSACTIONS[:1], "Amount Merchant Date 10.50 Shop 1 1 Jan 2026 1 more column"),
        (
            "timeline",
            "history",
            TRANSACTIONS[:2],
            "2 Jan 2026 Shop 2 Amount 21 1 Jan 2026 Shop 1 Amount 10.50",
        ),
        (
            "sparkline",
            "history",
            TRANSACTIONS[::-1],
            "94.50 Amount ▲ 84 1 Jan 2026 to 9 Jan 2026 10.50 to 94.50",
        ),
        ("chart", "history", TRANSACTIONS, "Amount 0 25 50 75 100 1 Jan 5 Jan 9 Jan"),
    ],
)
def test_component_shows(component: str, mode: str, sample: Any, text: str) -> None:
    assert draw(component, mode, sample) == text


def test_bars_for_what_has_names() -> None:
    schema = {
        "type": "array",
        "items": {"type": "object", "properties": {"team": {"type": "string"}, "gain_pct": {"type": "number"}}},
    }
    html = render_component("chart", schema, [{"team": "Blue", "gain_pct": 10}, {"team": "Red", "gain_pct": -5}])
    assert text_of(html) == "Gain Blue 10% Red \N{MINUS SIGN}5%"
    bars = re.findall(r'<rect class="sf-bar" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', html)
    assert [(float(x), float(width)) for x, width in bars] == [(157.3, 98.7), (108.0, 49.3)]


@pytest.mark.parametrize("value", [0, 1e-300, -1e-300, 1e308, 10**400])
def test_bars_of_one_value_are_drawn(value: float) -> None:
    html = render_component("chart", {"type": "array"}, [{"team": "Blue", "n": value}, {"team": "Red", "n": value}])
    assert text_of(html).count("Blue") == 1
    assert html.count("<rect") == 2


def test_newest_points_are_kept() -> None:
    days = [{"date": f"{year}-01-01", "n_c": year} for year in range(2400, 2000, -1)]
    assert text_of(render_component("sparkline", {}, days)).startswith("2,400 °C")


def test_several_series_have_a_legend() -> None:
    days = [{"date": f"2026-01-{day:02d}", "high_c": day, "low_c": day - 4, "rain_mm": 1} for day in range(1, 8)]
    html = render_component("chart", made_schema(days), days)
    assert text_of(html).startswith("High Low °C")
    assert html.count("<polyline") == 2


def made_schema(items: list[dict[str, Any]]) -> dict[str, Any]:
    formats = {"date": {"type": "string", "format": "date"}}
    return {"type": "array", "items": {"properties": {name: formats.get(name, {}) for name in items[0]}}}


def test_more_than_is_shown_is_counted() -> None:
    rows = [{**item, "a": 1, "b": 2, "c": 3} for item in TRANSACTIONS]
    assert draw("list", "history", rows).endswith("4 more")
    assert draw("table", "history", rows).endswith("3 more rows · 2 more columns")
    assert draw("timeline", "history", rows).endswith("3 more")
    assert draw("card", "history", rows).endswith("The first of 9")


@pytest.mark.parametrize("component", COMPONENTS)
@pytest.mark.parametrize("sample", [None, {}, [], [[]], [None], {"xs": []}])
def test_empty_samples_say_so_or_show_no_value(component: str, sample: Any) -> None:
    text = text_of(render_component(component, {"type": "object"}, sample))
    assert text in ("No data in the sample", "• \N{EN DASH}", "• 0 items", "0 items Items", "1 item Items") or (
        "0 items" in text or "1 item" in text or "\N{EN DASH}" in text
    )


@pytest.mark.parametrize("component", COMPONENTS)
@pytest.mark.parametrize("mode", DOCUMENTED)
def test_documented_capability_in_every_component(component: str, mode: str) -> None:
    descriptor = preferring(mode, component)
    rendering = render_capability(descriptor)
    texts = [text_of(picture.html) for picture in rendering.components]
    picture = next(each for each in rendering.components if each.name == component)
    assert picture.why_not == misfit_of(component, descriptor)
    assert picture.fits == (picture.why_not is None)
    if picture.why_not:
        assert any(picture.why_not in text for text in texts)
        assert any(each.fits for each in rendering.components)
    else:
        assert "No data in the sample" not in text_of(picture.html)


def test_unfitting_preference_is_said_and_the_other_drawn() -> None:
    pictures = render_capability(DOCUMENTED["state"]).components
    assert [(each.name, each.fits) for each in pictures] == [("stat_row", True), ("sparkline", False)]
    assert pictures[1].why_not == "sparkline needs a series of 7 to 30 numbers; the schema has none."


def test_without_preference_the_surface_chooses() -> None:
    assert [each.name for each in render_capability(preferring("state")).components] == ["stat_row"]
    assert [each.name for each in render_capability(preferring("history")).components] == ["list"]


def test_sandbox_answer_is_drawn_as_it_is() -> None:
    rendering = render_capability(DOCUMENTED["state"], {**WEATHER, "location": "Bergen"})
    assert rendering.sample_origin == "a sandbox answer"
    assert text_of(rendering.components[0].html).startswith("Current weather Bergen 21.5 °C")


def test_realtime_is_marked_live() -> None:
    assert "Live" in text_of(render_capability(DOCUMENTED["realtime"]).components[0].html)
    assert "Live" not in text_of(render_capability(DOCUMENTED["state"]).components[0].html)


def test_action_asks_first() -> None:
    pictures = render_capability(DOCUMENTED["action"]).components
    assert [each.name for each in pictures] == ["confirm_sheet", "card"]
    assert text_of(pictures[0].html) == (
        "Create task Create a new task in the user's project Title · required Quarterly report Description "
        "A longer text as the provider would send it, such as two sentences on what happ… "
        "Priority Low Medium High Urgent Assignee ID assi_0001 Changes something for you Cancel Confirm"
    )


def test_action_without_confirmation_says_so() -> None:
    sheet = render_capability({**DOCUMENTED["action"], "confirmation_required": False}).components[0]
    assert "Runs without asking" in text_of(sheet.html)
    assert "Confirm" not in text_of(sheet.html)


def test_webhook_lists_its_events() -> None:
    pictures = render_capability(DOCUMENTED["webhook"]).components
    assert pictures[0].name == "events"
    assert text_of(pictures[0].html).startswith("Calendar event changed Created Quarterly report 12 Jan 2026, 08:30")


def test_made_samples_fill_every_fitting_component() -> None:
    schema = answer_schema(DOCUMENTED["history"])
    for component in ("list", "table", "timeline", "chart", "sparkline", "card"):
        assert "No data" not in text_of(render_component(component, schema, made_sample(schema).data))
