"""Panels of the review page whose figures live upstairs; rooms above fill the registry in `AppConfig.ready()`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string

from packages.models import Version

PanelContext = Callable[[Version], dict[str, Any]]


@dataclass(frozen=True)
class Panel:
    """One panel: the template gets what `context` returns for the version."""

    name: str
    title: str
    template: str
    context: PanelContext


_PANELS: dict[str, Panel] = {}


def register_panel(name: str, title: str, template: str, context: PanelContext) -> None:
    """Add a panel under a name; the same name replaces it."""
    _PANELS[name] = Panel(name, title, template, context)


def render_panels(version: Version) -> list[dict[str, str]]:
    """Return name, title and HTML of every panel, in the order of their registration."""
    return [
        {"name": panel.name, "title": panel.title, "html": render_to_string(panel.template, panel.context(version))}
        for panel in _PANELS.values()
    ]
