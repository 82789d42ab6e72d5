"""What a program reads of a page of the staff console: its words and its forms, by the standard library's parser."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

# Kinds of `<input>` that a browser sends only when somebody ticked or pressed them.
_UNSENT = ("checkbox", "radio", "submit", "button", "file", "image", "reset")
Attributes = list[tuple[str, str | None]]


@dataclass
class Form:
    """One form: where it is posted, what it sends untouched, and what can be ticked or pressed, by label."""

    url: str
    fields: dict[str, str] = field(default_factory=dict)
    ticks: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass
class Page:
    """One page as it came: its address, its status, its words and its forms."""

    url: str
    status: int
    text: str
    forms: list[Form]

    def form_to(self, ending: str) -> Form:
        """Return the form that is posted to a path with this ending; raises LookupError where there is none."""
        return self._only([form for form in self.forms if form.url.endswith(ending)], ending)

    def form_with(self, name: str) -> Form:
        """Return the form that has a field of this name; raises LookupError where there is none."""
        return self._only([form for form in self.forms if name in form.fields], name)

    def _only(self, found: list[Form], what: str) -> Form:
        if len(found) != 1:
            raise LookupError(f"{len(found)} forms for {what!r} on {self.url}: {self.text[:500]}")
        return found[0]


def read_page(url: str, status: int, html: str) -> Page:
    """Parse the HTML that an address answered with."""
    parser = _PageParser(url)
    parser.feed(html)
    parser.close()
    return Page(url, status, " ".join(" ".join(parser.words).split()), parser.forms)


class _PageParser(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.forms: list[Form] = []
        self._url = url
        self._form: Form | None = None
        self._textarea = ""
        self._is_label = self._is_unseen = False
        self._tick: tuple[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in ("script", "style"):
            self._is_unseen = True
        elif tag == "label":
            self._is_label = True
        elif tag == "form":
            self._form = Form(urljoin(self._url, given.get("action", "")))
            self.forms.append(self._form)
        elif tag == "input" and self._form is not None and given.get("name"):
            self._read_input(self._form, given)
        elif tag == "button" and given.get("name"):
            self._tick = (given["name"], given.get("value", ""))
        elif tag == "textarea" and self._form is not None:
            self._textarea = given.get("name", "")
            self._form.fields[self._textarea] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._is_unseen = False
        elif tag == "form":
            self._form = None
        elif tag == "textarea":
            self._textarea = ""
        elif tag in ("label", "button"):
            self._is_label, self._tick = False, None

    def handle_data(self, data: str) -> None:
        if self._is_unseen:
            return
        self.words.append(data)
        if self._form is not None and self._textarea:
            self._form.fields[self._textarea] += data
        elif self._form is not None and self._tick is not None and data.strip():
            self._form.ticks[data.strip()] = self._tick

    def _read_input(self, form: Form, given: dict[str, str]) -> None:
        kind, name, value = given.get("type", "text"), given["name"], given.get("value", "")
        if kind == "checkbox" and self._is_label:
            self._tick = (name, value or "on")
        elif kind not in _UNSENT:
            form.fields[name] = value
