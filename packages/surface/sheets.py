"""What a surface shows around data: the sheet that asks before an action, and the events of webhook mode."""

from typing import Any, Final

from packages.surface.fields import Field, field_of, fields_of, label_of, title_of
from packages.surface.formats import finite, sentence_of, shortened
from packages.surface.places import Place
from packages.surface.samples import sample_params
from runtime.descriptors import input_schema, output_schema

Context = dict[str, Any]

MAX_INPUTS: Final = 8
MAX_EVENTS: Final = 6
MAX_CHOICES: Final = 6
LONG_TEXT: Final = 100
RISK_WORDS: Final = {
    "data_only": "Reads only",
    "action_capable": "Changes something for you",
    "high_trust": "High trust: handles sensitive matters",
    "strategic_surface": "Strategic surface: reaches deep into your day",
}


def confirm_sheet(descriptor: dict[str, Any]) -> Context:
    """Return the context of the sheet that asks a user before an action of a normalised descriptor runs."""
    place = Place.of(input_schema(descriptor))
    params = sample_params(descriptor).data
    params = params if isinstance(params, dict) else {}
    names = list(dict.fromkeys([*place.names(), *params]))
    required, risk_level = place.required(), descriptor.get("risk_level", "")
    return {
        "heading": sentence_of(descriptor["name"]),
        "description": shortened(descriptor.get("description") or "", 280),
        "inputs": [_input(name, place, params, is_required=name in required) for name in names[:MAX_INPUTS]],
        "more_count": max(len(names) - MAX_INPUTS, 0),
        "permissions": [shortened(str(name)) for name in descriptor.get("permissions") or []][:MAX_INPUTS],
        "risk_level": risk_level if risk_level in RISK_WORDS else "",
        "risk_words": RISK_WORDS.get(risk_level, ""),
        "is_asked": descriptor.get("confirmation_required", True),
    }


def events(descriptor: dict[str, Any], data: Any) -> Context:
    """Return the context of the list of events that a webhook-mode capability may push."""
    place = Place.of(output_schema(descriptor))
    fields = fields_of(place, data)
    title = title_of(fields)
    moment = next((field for field in fields if field.kind == "moment"), None)
    names = descriptor.get("events") or []
    return {
        "events": [{"name": shortened(name), "words": sentence_of(name)} for name in names[:MAX_EVENTS]],
        "more_count": max(len(names) - MAX_EVENTS, 0),
        "title": title,
        "moment": moment,
    }


def _input(name: str, place: Place, params: dict[str, Any], *, is_required: bool) -> Context:
    child = place.child(name)
    field: Field | None = field_of(name, child, params[name]) if name in params else None
    choices = child.keyword("enum", list) or []
    most = finite(child.keyword("maxLength", (int, float)))
    is_long = child.is_only("string") and not choices and (most or 0) > LONG_TEXT and name not in ("title", "name")
    kinds = {"switch": child.is_only("boolean"), "choice": bool(choices), "long": is_long}
    return {
        "label": label_of(name, child, has_unit=bool(field and field.unit)),
        "text": field.shown if field else "",
        "is_masked": child.is_masked,
        "is_on": bool(field) and params[name] is True and not child.is_masked,
        "is_required": is_required,
        "kind": next((kind for kind, holds in kinds.items() if holds), "line"),
        "choices": [_choice(child, name, choice) for choice in choices[:MAX_CHOICES]],
    }


def _choice(place: Place, name: str, choice: Any) -> Context:
    return {"text": field_of(name, place, choice).shown}
