"""Executable payload in texts that a provider writes (spec 3, "Surface guidance"): markup and script, in
any encoding.

A text is looked at as it is and as a browser or a template engine might come to read it: entities, percent-
encoding, escapes and base64 decoded, look-alike characters folded, characters that are skipped left out, up
to three layers deep. Prose that merely speaks of code (`3 < 5`, "JavaScript: the good parts") passes.
"""

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from aiffinity.lib.schemas.faults import SchemaFault, child_pointer
from aiffinity.lib.unseen_characters import unseen_character_in, without_skipped_characters

MAX_LAYERS = 3
PAYLOAD_CODE = "executable_payload"

_ELEMENTS = (
    "a|abbr|applet|area|article|aside|audio|base|basefont|bgsound|blink|body|br|button|canvas|center|col|colgroup|"
    "command|data|datalist|dd|details|dialog|div|dl|dt|embed|fieldset|font|footer|form|frame|frameset|h[1-6]|head|"
    "header|hr|html|iframe|image|img|input|isindex|keygen|label|layer|legend|li|link|listing|main|map|marquee|math|"
    "menu|meta|meter|nav|nobr|noembed|noframes|noscript|object|ol|optgroup|option|p|param|picture|plaintext|portal|pre|"
    "progress|rp|rt|ruby|script|section|select|slot|source|span|strong|style|sub|summary|sup|svg|table|tbody|td|"
    "template|textarea|tfoot|th|thead|title|tr|track|ul|var|video|wbr|xml|xmp|animate|animatemotion|animatetransform|"
    "foreignobject|set|use|handler|listener"
)
_EVENTS = (
    "abort|activate|afterprint|afterscriptexecute|afterupdate|animation(?:cancel|end|iteration|start)|auxclick|"
    "before(?:copy|cut|deactivate|input|match|paste|print|scriptexecute|toggle|unload|update)|begin|blur|bounce|"
    "cancel|canplay(?:through)?|change|click|close|command|contentvisibilityautostatechange|contextmenu|copy|cuechange|"
    "cut|dblclick|deactivate|device(?:motion|orientation)|drag(?:drop|end|enter|exit|leave|over|start)?|drop|"
    "durationchange|emptied|end(?:ed)?|error|filterchange|finish|focus(?:in|out)?|formdata|fullscreen(?:change|error)|"
    "gamepad(?:connected|disconnected)|gotpointercapture|hashchange|help|input|invalid|key(?:down|press|up)|"
    "languagechange|load(?:eddata|edmetadata|end|start)?|losecapture|lostpointercapture|message(?:error)?|"
    "mouse(?:down|enter|leave|move|out|over|up|wheel)|move(?:end|start)?|offline|online|page(?:hide|reveal|show|swap)|"
    "paste|pause|play(?:ing)?|pointer(?:cancel|down|enter|leave|lockchange|lockerror|move|out|over|rawupdate|up)|"
    "popstate|progress|propertychange|ratechange|readystatechange|rejectionhandled|repeat|reset|resize(?:end|start)?|"
    "row(?:delete|enter|exit|inserted)|scroll(?:end|snapchange|snapchanging)?|search|securitypolicyviolation|"
    "seek(?:ed|ing)|select(?:start|ionchange)?|show|slotchange|stalled|start|stop|storage|submit|suspend|"
    "timeupdate|toggle|touch(?:cancel|end|move|start)|transition(?:cancel|end|run|start)|unhandledrejection|unload|"
    "urnavailable|volumechange|waiting|webkit[a-z]+|wheel|zoom"
)

_RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("markup", re.compile(rf"</?(?:[a-z][\w.-]*:)?(?:{_ELEMENTS})[\s/>\"'`]", re.IGNORECASE)),
    ("markup", re.compile(r"<\s*/?\s*(?:script|iframe|svg)(?:[^<>]*>|\Z)", re.IGNORECASE)),
    ("markup", re.compile(r"</?[a-z](?![\w.+-]*@[\w.-]+>)(?!ttps?://[^\s\"'<>]+>)[^<>]*>", re.IGNORECASE)),
    (
        "markup",
        re.compile(r"<!--|<!\[cdata\[|<!(?:doctype|entity|element|attlist)\b|<\?(?:xml|php|=)", re.IGNORECASE),
    ),
    ("event_handler", re.compile(rf"(?<![\w-])on(?:{_EVENTS})\s*=(?!=)", re.IGNORECASE)),
    ("script_url", re.compile(r"(?<![\w-])(?:vbscript|livescript|mocha|jscript)\s*:\s*\S", re.IGNORECASE)),
    ("script_url", re.compile(r"(?<![\w-])javascript\s*:(?!\s|\Z)", re.IGNORECASE)),
    ("script_url", re.compile(r"(?<![\w-])javascript\s*:\s[^\n]{0,200}?[(\[`=;]", re.IGNORECASE)),
    (
        "data_url",
        re.compile(r"(?<![\w-])data:\s*(?:[a-z]+/[a-z0-9.+*-]+[;,]\S|;\s*base64|,\S)", re.IGNORECASE),
    ),
    ("data_url", re.compile(r"(?<![\w-])data:[a-z]+/[a-z0-9.+*-]+", re.IGNORECASE)),
    ("template_expression", re.compile(r"[$#]\{[^{}]*\}|<%[=@!-]")),
    (
        "css_expression",
        re.compile(r":\s*expression\s*\(|(?<![\w-])expression\(\s*[\w$.]+\s*[(=]", re.IGNORECASE),
    ),
    ("css_expression", re.compile(r"url\s*\(\s*[\"']?\s*(?:javascript|vbscript|data)\s*:", re.IGNORECASE)),
    (
        "css_expression",
        re.compile(r"-moz-binding\s*:|behaviou?r\s*:\s*url|@import\s+(?:url|[\"'])", re.IGNORECASE),
    ),
)
_TEMPLATE_BRACKETS = (("{{", "}}"), ("{%", "%}"), ("{#", "#}"), ("<%", "%>"))

_SENTENCES = {
    "markup": "Markup isn't allowed in texts, in any encoding. Write plain words.",
    "event_handler": "Event handlers aren't allowed in texts, in any encoding. Write plain words.",
    "script_url": "Script addresses aren't allowed in texts, in any encoding. Use an https:// address.",
    "data_url": "data: addresses aren't allowed in texts, in any encoding. Use an https:// address.",
    "template_expression": "Template expressions aren't allowed in texts, in any encoding. Write plain words.",
    "css_expression": "CSS that runs or loads something isn't allowed in texts, in any encoding. Write plain words.",
    "control_character": "Control characters aren't allowed in texts, in any encoding. Remove them.",
    "bidi_override": "Characters that reorder text aren't allowed in texts, in any encoding. Remove them.",
    "invisible_character": "Invisible characters aren't allowed in texts, in any encoding. Remove them.",
}


def payload_in(text: str) -> str | None:
    """Name the rule that a text breaks, None for a harmless one.

    The rules are markup, event_handler, script_url, data_url, template_expression, css_expression,
    control_character, bidi_override and invisible_character.
    """
    found = unseen_character_in(text)
    if found:
        return found
    readings, layer = {text}, [text]
    for _ in range(MAX_LAYERS + 1):
        for reading in layer:
            rule = _broken_rule(reading)
            if rule:
                return rule
        decoded = [reading for source in layer for reading in _decodings(source)]
        for reading in decoded:
            found = unseen_character_in(reading)
            if found:
                return found
        layer = [reading for reading in dict.fromkeys(decoded) if reading not in readings]
        readings.update(layer)
    return None


def check_texts(value: Any, *, pointer: str = "") -> list[SchemaFault]:
    """Return a fault for each text inside a JSON value that holds payload, names of fields included."""
    faults: list[SchemaFault] = []
    pending = [(pointer, value)]
    while pending:
        place, current = pending.pop()
        if isinstance(current, str):
            faults += _text_faults(place, current)
        elif isinstance(current, dict):
            for name in current:
                faults += _text_faults(child_pointer(place, name), name)
            pending.extend((child_pointer(place, name), item) for name, item in current.items())
        elif isinstance(current, list):
            pending.extend((child_pointer(place, index), item) for index, item in enumerate(current))
    return sorted(faults, key=lambda fault: fault.pointer)


def _text_faults(pointer: str, text: str) -> list[SchemaFault]:
    rule = payload_in(text)
    return [] if rule is None else [SchemaFault(pointer, PAYLOAD_CODE, _SENTENCES[rule])]


def _broken_rule(text: str) -> str | None:
    for reading in _foldings(text):
        for rule, expression in _RULES:
            if expression.search(reading):
                return rule
        if any(
            opening in reading and closing in reading.partition(opening)[2] for opening, closing in _TEMPLATE_BRACKETS
        ):
            return "template_expression"
    return None


def _foldings(text: str) -> Iterator[str]:
    """Yield a text as it is and as parsers that skip or equate characters read it."""
    yield text
    folded = without_skipped_characters(unicodedata.normalize("NFKC", text))
    for reading in dict.fromkeys((folded, _CSS_COMMENT.sub("", folded), _css_unescaped(folded))):
        if reading != text:
            yield reading


def _decodings(text: str) -> Iterator[str]:
    decoders: tuple[Callable[[str], str], ...] = (_entities_read, unquote, _escapes_read)
    for decode in decoders:
        decoded = decode(text)
        if decoded != text:
            yield decoded
    hidden = " ".join(_base64_texts(text))
    if hidden:
        yield hidden


_ESCAPE = re.compile(r"\\u\{([0-9a-f]{1,6})\}|\\u([0-9a-f]{4})|\\x([0-9a-f]{2})|%u([0-9a-f]{4})", re.IGNORECASE)
_OCTAL_ESCAPE = re.compile(r"\\([0-3]?[0-7]{2})")
_CSS_COMMENT = re.compile(r"/\*.{0,200}?\*/", re.DOTALL)
_CSS_ESCAPE = re.compile(r"\\([0-9a-f]{1,6})\s?", re.IGNORECASE)


_CONTROL_ENTITY = re.compile(r"&#(?:0*(\d{1,3})|x0*([0-9a-f]{1,2}))(?![0-9a-f]);?", re.IGNORECASE)


def _entities_read(text: str) -> str:
    """Decode entities as browsers do, which keep controls where Python's decoder drops them."""

    def control(match: re.Match[str]) -> str:
        code = int(match[1]) if match[1] else int(match[2], 16)
        return chr(code) if code < 0x20 or code == 0x7F else match[0]

    return html.unescape(_CONTROL_ENTITY.sub(control, text))


def _escapes_read(text: str) -> str:
    text = _ESCAPE.sub(lambda match: _character(int(next(filter(None, match.groups())), 16)), text)
    return _OCTAL_ESCAPE.sub(lambda match: _printable(int(match[1], 8)), text)


def _css_unescaped(text: str) -> str:
    return _CSS_ESCAPE.sub(lambda match: _printable(int(match[1], 16)), text)


def _character(code: int) -> str:
    return chr(code) if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else "\ufffd"


def _printable(code: int) -> str:
    """Read an escape that may be a part of a path such as C:\\10, where only visible ones matter."""
    character = _character(code)
    return character if character.isprintable() else "\ufffd"


_BASE64_RUN = re.compile(r"[A-Za-z0-9+/_-]{8,}")


def _base64_texts(text: str) -> Iterator[str]:
    """Yield what runs of base64 decode to, where that is text; mere words decode to noise."""
    for source in dict.fromkeys((text, re.sub(r"\s+", "", text))):
        for run in _BASE64_RUN.findall(source):
            parts = [run, *(part for part in re.split(r"[/_-]", run) if len(part) >= 8)]
            for candidate in dict.fromkeys(part[offset:] for part in parts for offset in range(4)):
                decoded = _base64_text(candidate)
                if decoded:
                    yield decoded


def _base64_text(run: str) -> str | None:
    body = run.replace("-", "+").replace("_", "/")
    body = body[:-1] if len(body) % 4 == 1 else body
    try:
        decoded = base64.b64decode(body + "=" * (-len(body) % 4)).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return decoded if all(character.isprintable() or character in "\t\n\r" for character in decoded) else None
