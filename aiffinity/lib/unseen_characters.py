"""Characters that a reader can't see: controls, reordering marks and invisible ones, with their honest uses
let be.

Joiners belong into emoji and into scripts such as Persian or Hindi, direction marks into texts with right-
to-left letters, tag characters into three flags. Anywhere else they hide something.
"""

import re
import unicodedata

_FLAG_SEQUENCES = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,6}\U000e007f")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufff9-\ufffb\ud800-\udfff]")
_BIDI_OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069\u206a-\u206f]")
_INVISIBLE = re.compile(
    "[\u034f\u180e\u200b\u2060-\u2065\ufeff\U000e0000-\U000e007f]|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2}"
)
_JOINERS = re.compile("[\u200c\u200d]")
_DIRECTION_MARKS = re.compile("[\u200e\u200f\u061c]")
_JOINABLE = frozenset({"Lo", "Mc", "Mn", "Sk", "So"})
_SKIPPED = re.compile("[\x00-\x08\t\n\x0b\x0c\r\x0e-\x1f\x7f\xad\u034f\u061c\u180e\u200b-\u200f\u2060-\u2064\ufeff]")


def unseen_character_in(text: str) -> str | None:
    """Name the rule that a text breaks: control_character, bidi_override, invisible_character, or None."""
    if text.isascii() and text.isprintable():
        return None
    if _CONTROLS.search(text):
        return "control_character"
    if _BIDI_OVERRIDES.search(text):
        return "bidi_override"
    is_invisible = (
        _INVISIBLE.search(_FLAG_SEQUENCES.sub("", text))
        or not _are_joiners_joining(text)
        or (_DIRECTION_MARKS.search(text) and not _has_right_to_left_letters(text))
    )
    return "invisible_character" if is_invisible else None


def without_skipped_characters(text: str) -> str:
    """Leave out what browsers skip inside the name of a scheme: controls, line breaks, invisible ones."""
    return _SKIPPED.sub("", text)


def _are_joiners_joining(text: str) -> bool:
    return all(
        unicodedata.category(text[match.start() - 1]) in _JOINABLE
        and unicodedata.category(text[match.end()]) in _JOINABLE
        if match.start() > 0 and match.end() < len(text)
        else False
        for match in _JOINERS.finditer(text)
    )


def _has_right_to_left_letters(text: str) -> bool:
    return any(unicodedata.bidirectional(character) in {"R", "AL"} for character in text)
