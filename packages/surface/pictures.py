"""Pictures of components and capabilities as a surface would show them, made on the server.

They are HTML and SVG without script, inline style or anything loaded from elsewhere;
`packages/surface.css` dresses them. Texts of providers only pass through autoescaping templates.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from packages.surface.facts import card, progress, stat_row
from packages.surface.fitting import misfit_of
from packages.surface.formats import sentence_of, shortened
from packages.surface.places import Place
from packages.surface.plots import chart, sparkline
from packages.surface.rows import list_rows, table, timeline
from packages.surface.samples import Sample, sample_answer
from packages.surface.sheets import confirm_sheet, events
from runtime.descriptors import answer_schema

Context = dict[str, Any]
Painter = Callable[[Place, Any], Context | None]

PAINTERS: Final[dict[str, Painter]] = {
    "stat_row": stat_row,
    "sparkline": sparkline,
    "list": list_rows,
    "table": table,
    "timeline": timeline,
    "progress": progress,
    "card": card,
    "chart": chart,
}
# What a surface takes where nothing fitting is preferred, the calmest first.
DEFAULT_COMPONENTS: Final = {
    "state": ("stat_row", "progress", "sparkline", "list", "card"),
    "realtime": ("stat_row", "sparkline", "list", "card"),
    "history": ("list", "timeline", "table", "card"),
}


@dataclass(frozen=True)
class Picture:
    """One component as HTML; `why_not` says in words why a preferred component doesn't fit, else it is None."""

    name: str
    html: SafeString
    fits: bool
    why_not: str | None


@dataclass(frozen=True)
class Rendering:
    """A capability in pictures, and in words what they were drawn from (`sample_origin`)."""

    components: list[Picture]
    sample_origin: str


def render_component(
    name: str, schema: dict[str, Any], sample: Any, *, title: str = "", is_live: bool = False
) -> SafeString:
    """Draw one of the eight components from a checked schema of an answer and a sample of it.

    Whatever the sample, a picture comes back: without data that the component can show, its empty state.
    Raises KeyError for a component that doesn't exist.
    """
    context = PAINTERS[name](Place.of(schema), sample)
    if context is None:
        return _widget("empty", {}, component=name, title=title, is_live=is_live)
    template = "hidden" if context.get("is_hidden") else name
    return _widget(template, context, component=name, title=title, is_live=is_live)


def render_capability(descriptor: dict[str, Any], sample: Any = None) -> Rendering:
    """Draw a normalised descriptor's capability: what its guidance prefers, or what a surface would take.

    `sample` is the data of an answer; without one it is taken from the descriptor's examples or made from its
    schema. An action shows its confirm sheet first, webhook mode a list of its events.
    """
    given = Sample(sample, "a sandbox answer") if sample is not None else sample_answer(descriptor)
    mode = descriptor["mode"]
    title = sentence_of(descriptor["name"])
    pictures: list[Picture] = []
    if mode == "action":
        context = confirm_sheet(descriptor)
        pictures.append(Picture("confirm_sheet", _widget("confirm_sheet", context, title=""), fits=True, why_not=None))
    if mode == "webhook":
        context = events(descriptor, given.data)
        pictures.append(Picture("events", _widget("events", context, title=title), fits=True, why_not=None))
    pictures += [_picture(name, descriptor, given.data, title) for name in _components(descriptor)]
    return Rendering(pictures, given.origin)


def _components(descriptor: dict[str, Any]) -> list[str]:
    """Return the preferred components, and where none of them fits the one that a surface would take."""
    preferred = (descriptor.get("surface_guidance") or {}).get("preferred_components") or []
    names = [name for name in preferred if name in PAINTERS]
    if any(misfit_of(name, descriptor) is None for name in names):
        return names
    defaults = DEFAULT_COMPONENTS.get(descriptor["mode"], ("card",))
    fitting = [name for name in defaults if misfit_of(name, descriptor) is None]
    return [*names, *(fitting or ["card"])[:1]]


def _picture(name: str, descriptor: dict[str, Any], data: Any, title: str) -> Picture:
    why_not = misfit_of(name, descriptor)
    if why_not is not None:
        return Picture(
            name, _widget("misfit", {"why_not": why_not}, component=name, title=title), fits=False, why_not=why_not
        )
    is_live = descriptor["mode"] == "realtime"
    html = render_component(name, answer_schema(descriptor), data, title=title, is_live=is_live)
    return Picture(name, html, fits=True, why_not=None)


def _widget(template: str, context: Context, *, title: str, component: str = "", is_live: bool = False) -> SafeString:
    frame = {"component": component or template, "title": shortened(title), "is_live": is_live}
    return render_to_string(f"packages/surface/{template}.html", {**context, "frame": frame})
