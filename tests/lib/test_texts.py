"""Executable payload in texts: what is refused and what passes."""

import base64
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiffinity.lib.texts import PAYLOAD_CODE, check_texts, payload_in


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


PAYLOADS = [
    ("<script>alert(1)</script>", "markup"),
    ("<SCRIPT SRC=//x.example></SCRIPT>", "markup"),
    ("</title><script>alert(1)", "markup"),
    ("< script >alert(1)</ script >", "markup"),
    ("<scr<script>ipt>alert(1)", "markup"),
    ("<img src=x onerror=alert(1)>", "markup"),
    ("<img src=x", "markup"),
    ("<img/src=x", "markup"),
    ("<svg/onload=alert(1)>", "markup"),
    ("<svg><animate onbegin=alert(1) attributeName=x>", "markup"),
    ("<iframe srcdoc='x'>", "markup"),
    ("<iframe", "markup"),
    ("<object data=x>", "markup"),
    ("<embed src=x>", "markup"),
    ("<body onload=alert(1)>", "markup"),
    ("<details open ontoggle=alert(1)>", "markup"),
    ("<math><mi xlink:href=x>", "markup"),
    ("<style>*{color:red}</style>", "markup"),
    ("<link rel=stylesheet href=x>", "markup"),
    ("<meta http-equiv=refresh content=0>", "markup"),
    ("<base href=//x.example>", "markup"),
    ("<b>bold</b>", "markup"),
    ("<x-widget>", "markup"),
    ("<svg:script>", "markup"),
    ("<!-- hidden -->", "markup"),
    ("<![CDATA[x]]>", "markup"),
    ("<!DOCTYPE html>", "markup"),
    ("<?php echo 1 ?>", "markup"),
    ("\uff1cscript\uff1ealert(1)", "markup"),
    ("&lt;script&gt;alert(1)&lt;/script&gt;", "markup"),
    ("&#60;script&#62;", "markup"),
    ("&#x3c;img src=x&#x3e;", "markup"),
    ("&#x3cscript&#x3e", "markup"),
    ("&amp;lt;script&amp;gt;", "markup"),
    ("%3Cscript%3Ealert(1)%3C/script%3E", "markup"),
    ("%253Cscript%253E", "markup"),
    ("%u003cscript%u003e", "markup"),
    (r"\u003cscript\u003e", "markup"),
    (r"\x3cscript\x3e", "markup"),
    (r"\u{3c}script\u{3e}", "markup"),
    (r"\74script\76", "markup"),
    (b64("<script>alert(1)</script>"), "markup"),
    (f"see {b64('<img src=x onerror=alert(1)>').rstrip('=')} there", "markup"),
    (f"/files/{b64('<script>alert(1)</script>')}", "markup"),
    (f"x{b64('<script>alert(1)</script>')}", "markup"),
    (b64("%3Cscript%3E"), "markup"),
    (b64(b64("<script>x</script>")), "markup"),
    (quote(b64("<script>x</script>")), "markup"),
    ("\n".join(b64("<script>alert(1)</script>")[start : start + 8] for start in range(0, 40, 8)), "markup"),
    ('" onmouseover="alert(1)', "event_handler"),
    ("' autofocus onfocus=alert(1) '", "event_handler"),
    ("x onclick = alert(1)", "event_handler"),
    ("x/onpointerrawupdate=alert(1)", "event_handler"),
    ("ONERROR=alert(1)", "event_handler"),
    ("on&#101;rror=alert(1)", "event_handler"),
    ("javascript:alert(1)", "script_url"),
    ("JaVaScRiPt:alert(1)", "script_url"),
    ("javascript : alert(1)", "script_url"),
    ("java\nscript:alert(1)", "script_url"),
    ("java\tscript:alert(1)", "script_url"),
    ("java\u00adscript:alert(1)", "script_url"),
    ("javascript&colon;alert(1)", "script_url"),
    ("javascript&#58;alert(1)", "script_url"),
    ("javascript%3Aalert(1)", "script_url"),
    ("\uff4a\uff41\uff56\uff41\uff53\uff43\uff52\uff49\uff50\uff54\uff1aalert(1)", "script_url"),
    ("vbscript:msgbox(1)", "script_url"),
    (b64("javascript:alert(document.cookie)"), "script_url"),
    ("data:text/html,x", "data_url"),
    ("data:text/html;base64,eHg=", "data_url"),
    ("data: text/html,alert", "data_url"),
    ("data:;base64,eHg=", "data_url"),
    ("data:,alert", "data_url"),
    ("data:image/svg+xml", "data_url"),
    ("{{ 7*7 }}", "template_expression"),
    ("{{constructor.constructor('alert(1)')()}}", "template_expression"),
    ("${7*7}", "template_expression"),
    ("#{7*7}", "template_expression"),
    ("<% system('id') %>", "template_expression"),
    ("<%= 7*7", "template_expression"),
    ("{% include 'x' %}", "template_expression"),
    ("%7B%7B7*7%7D%7D", "template_expression"),
    ("&lbrace;&lbrace;7*7&rbrace;&rbrace;", "template_expression"),
    ("width: expression(alert(1))", "css_expression"),
    ("width:exp/**/ression(alert(1))", "css_expression"),
    (r"width:\65xpression(alert(1))", "css_expression"),
    ("background:url( 'javascript:x')", "script_url"),
    ("behavior: url(x.htc)", "css_expression"),
    ("-moz-binding:url(x)", "css_expression"),
    ("@import 'x.css'", "css_expression"),
    ("nul\x00", "control_character"),
    ("bell\x07", "control_character"),
    ("escape\x1b[31m", "control_character"),
    ("next line\x85", "control_character"),
    ("line\u2028separator", "control_character"),
    ("&#x1b;", "control_character"),
    (r"\u0000", "control_character"),
    ("user\u202egnp.exe", "bidi_override"),
    ("\u2066isolate\u2069", "bidi_override"),
    ("&#x202e;", "bidi_override"),
    ("zero\u200bwidth", "invisible_character"),
    ("word\u2060joiner", "invisible_character"),
    ("\ufeffmark", "invisible_character"),
    ("ad\u200dmin", "invisible_character"),
    ("trailing\u200d", "invisible_character"),
    ("left\u200eto right", "invisible_character"),
    ("tags\U000e0041\U000e0042", "invisible_character"),
    ("selectors\ufe00\ufe01", "invisible_character"),
]

INNOCENT = [
    "3 < 5",
    "3 < 5 and 7 > 2",
    "a<b",
    "if a < b then c",
    "Tom & Jerry",
    "AT&amp;T",
    "price > 10 €",
    "C++",
    "C# and F#",
    "a=b",
    "onboarding = easy",
    "on = off",
    "once = twice",
    "oncall = 24/7",
    "I <3 weather",
    "-> and <- and <=>",
    "write to <support@acmeweather.com>",
    "see <https://acmeweather.com/docs>",
    "https://acmeweather.com/search?q=a%20b&lang=en#top",
    "100 % of 50%",
    "growth of 5%>3%, below <5%",
    "price in $ {net}",
    "{subdomain} and {city}",
    "{50%}",
    "JavaScript: The Good Parts",
    "Works with JavaScript: fast and small",
    "We import data: temperature, humidity",
    "data: text/csv, JSON and XML",
    "regular expression (regex)",
    "expression(s) of interest",
    "the url (see below)",
    "Behaviour: friendly",
    "internationalization",
    "Donaudampfschifffahrtsgesellschaft",
    "app_01J8XKWM3N4QR5STVYZ2BCDEFG",
    "cs_live_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "7d444840-9dc0-41d1-b245-5ffdce74fad2",
    "SGVsbG8gV29ybGQh is Hello World!",
    r"C:\data\10\x and \n",
    "line one\nline two\ttabbed\r\n",
    "emoji 🌤️ 👩‍💻 👨‍👩‍👧‍👦 ❤️‍🔥 👍🏽",
    "flag \U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f of England",
    "طقس اليوم: مشمس",
    "می‌خواهم هوا را بدانم",
    "מזג האוויר (\u200eC++\u200e) היום",
    "नमस्ते क्‍ष",
    "天気予報\uff1a晴れ",
    "Ünïcödé ñ ß ø",
    "Rock 'n' roll — “quotes” … ½ ™",
    "x² + y² = z²",
    "Current weather conditions for a location",
    "Create a new task in the user's project",
    "Paginated list of recent financial transactions",
    "Live stock price updates via SSE",
    "Receives calendar event create/update/delete pushes",
    "Find your API key at Settings > API in your Acme Weather dashboard.",
    "Enter your subdomain and API token from Settings > Integrations.",
    "Real-time weather data and forecasts",
    "",
]


@pytest.mark.parametrize(("text", "rule"), PAYLOADS)
def test_payload_is_refused_by_its_rule(text, rule):
    assert payload_in(text) == rule


@pytest.mark.parametrize("text", INNOCENT)
def test_prose_passes(text):
    assert payload_in(text) is None


@given(st.text(st.sampled_from("abcdefghij ,.!?'0123456789éüñ漢字"), max_size=200))
def test_words_and_numbers_always_pass(text):
    assert payload_in(text) is None


@given(st.text(max_size=300))
def test_any_text_is_judged(text):
    payload_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "<" * 60_000,
        "{{" * 30_000,
        "/*" * 30_000,
        "<a" * 30_000,
        "on" * 30_000,
        "&lt;" * 15_000,
        "%25" * 20_000,
        "A" * 60_000,
        "javascript: " * 5_000,
        ": " * 30_000,
        b64("x" * 40_000),
        "PHNj " * 12_000,
        "\\u005c" * 10_000,
    ],
)
def test_hostile_lengths_are_judged_quickly(text):
    started = time.monotonic()
    payload_in(text)
    assert time.monotonic() - started < 3


def test_every_text_and_name_inside_a_value_is_checked():
    value = {"title": "fine", "list": ["fine", {"text": "<b>x</b>"}], "${x}": 1, "n": 5, "t": True, "none": None}
    faults = check_texts(value, pointer="/guidance")
    assert [(fault.pointer, fault.code) for fault in faults] == [
        ("/guidance/${x}", PAYLOAD_CODE),
        ("/guidance/list/1/text", PAYLOAD_CODE),
    ]
    assert faults[0].message == "Template expressions aren't allowed in texts, in any encoding. Write plain words."


def test_a_message_never_repeats_the_payload():
    assert "alert" not in check_texts("<script>alert(1)</script>")[0].message
