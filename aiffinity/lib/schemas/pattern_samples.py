"""A short text that matches a regular expression, for generated examples.

Knows literals, escapes, character classes, groups, alternatives and repetitions of the syntax that RE2 and
ECMA-262 share; the caller checks the result, since lengths and anchors in odd places are not looked at.
"""

import string

_CLASSES = {"d": "0123456789", "w": "a0_bcdefghijklmnopqrstuvwxyz", "s": " "}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v"}
_CANDIDATES = f"{string.ascii_lowercase}{string.ascii_uppercase}{string.digits}_- .,:;/@#+*=!?&%$()[]{{}}<>|~^'\"\\é€"
_MAX_REPEAT = 1_000
_MAX_OPEN_GROUPS = 50


class SampleError(ValueError):
    """The expression uses something that the sampler doesn't know."""


def sample_for_pattern(pattern: str) -> str:
    """Return a short text that the pattern should match. Raises SampleError where it can't tell."""
    sampler = _Sampler(pattern)
    text = sampler.alternatives()
    if sampler.position != len(pattern):
        message = f"The pattern has an unexpected {pattern[sampler.position]!r}."
        raise SampleError(message)
    return text


class _Sampler:
    """A recursive-descent reader that writes the first shortest match as it goes."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.position = 0
        self.open_groups = 0

    def peek(self, length: int = 1) -> str:
        return self.pattern[self.position : self.position + length]

    def take(self) -> str:
        symbol = self.peek()
        if not symbol:
            message = "The pattern ends too early."
            raise SampleError(message)
        self.position += 1
        return symbol

    def alternatives(self) -> str:
        """Read alternatives up to a closing parenthesis or the end, and keep the first."""
        first = self.sequence()
        while self.peek() == "|":
            self.position += 1
            self.sequence()
        return first

    def sequence(self) -> str:
        parts: list[str] = []
        while self.peek() not in {"", "|", ")"}:
            atom = self.atom()
            parts.append(atom * self.repetitions())
        return "".join(parts)

    def atom(self) -> str:
        symbol = self.take()
        if symbol in "^$":
            return ""
        if symbol == ".":
            return "a"
        if symbol == "(":
            return self.group()
        if symbol == "[":
            return self.character_class()
        return self.escape()[:1] if symbol == "\\" else symbol

    def group(self) -> str:
        if self.peek() == "?":
            self.position += 1
            if self.peek() == ":":
                self.position += 1
            elif self.peek(2) == "P<" or (self.peek() == "<" and self.peek(2) not in {"<=", "<!"}):
                self.position = self.pattern.index(">", self.position) + 1
            else:
                message = "Look-around and flags are unknown to the sampler."
                raise SampleError(message)
        self.open_groups += 1
        if self.open_groups > _MAX_OPEN_GROUPS:
            message = "The groups of the pattern are nested too deep."
            raise SampleError(message)
        text = self.alternatives()
        self.open_groups -= 1
        if self.take() != ")":
            message = "A group of the pattern isn't closed."
            raise SampleError(message)
        return text

    def escape(self) -> str:
        """Return characters that an escape stands for, none for an assertion."""
        symbol = self.take()
        if symbol in _CLASSES:
            return _CLASSES[symbol]
        if symbol.lower() in _CLASSES:
            return "".join(char for char in _CANDIDATES if char not in _CLASSES[symbol.lower()])
        if symbol in "pPxu0123456789B":
            message = f"The escape \\{symbol} is unknown to the sampler."
            raise SampleError(message)
        if symbol in "Azb":
            return ""
        return _CONTROLS.get(symbol, symbol)

    def character_class(self) -> str:
        is_negated = self.peek() == "^"
        if is_negated:
            self.position += 1
        members = ""
        while self.peek() != "]" or not members:
            first = self.take()
            chars = self.escape() if first == "\\" else first
            if self.peek() == "-" and self.peek(2) != "-]" and len(chars) == 1:
                self.position += 1
                last = self.take()
                last = self.escape() if last == "\\" else last
                if len(last) != 1:
                    message = "A range of the pattern has no end."
                    raise SampleError(message)
                chars = "".join(chr(code) for code in range(ord(chars), min(ord(last), ord(chars) + 255) + 1))
            members += chars
        self.position += 1
        if not is_negated:
            return members[0]
        outside = [char for char in _CANDIDATES if char not in members]
        if not outside:
            message = "The pattern refuses every common character."
            raise SampleError(message)
        return outside[0]

    def repetitions(self) -> int:
        symbol = self.peek()
        least = {"*": 0, "?": 0, "+": 1}.get(symbol)
        if least is not None:
            self.position += 1
        elif symbol == "{" and self.peek(2)[1:].isdigit():
            end = self.pattern.index("}", self.position)
            least = min(int(self.pattern[self.position + 1 : end].split(",")[0]), _MAX_REPEAT)
            self.position = end + 1
        else:
            return 1
        if self.peek() == "?":
            self.position += 1
        return least
