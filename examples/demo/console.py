"""Somebody at web pages without a browser: keeps the session's cookies and posts the forms of the pages."""

import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar

from examples.demo.pages import Form, Page, read_page


class Console:
    """Speaks to pages as a browser does; the CSRF token is a hidden field of each form, so it goes along."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        cookies = urllib.request.HTTPCookieProcessor(CookieJar())
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies)

    def open(self, path: str) -> Page:
        """Get a page of the platform."""
        return self._fetch(urllib.request.Request(self.base_url + path))  # noqa: S310  # http only.

    def post(self, form: Form, *, ticked: str = "", **filled: str) -> Page:
        """Post a form with these fields filled in and the box or button with the label `ticked` ticked or pressed.

        Raises LookupError for a field or a label that the form does not have.
        """
        unknown = [name for name in filled if name not in form.fields]
        if unknown or (ticked and ticked not in form.ticks):
            raise LookupError(f"{form.url} has no {unknown or ticked!r}: {sorted(form.fields)}, {sorted(form.ticks)}")
        sent = [*{**form.fields, **filled}.items(), *([form.ticks[ticked]] if ticked else [])]
        data = urllib.parse.urlencode(sent).encode()
        return self._fetch(urllib.request.Request(form.url, data))  # noqa: S310  # The same.

    def _fetch(self, request: urllib.request.Request) -> Page:
        try:
            with self._opener.open(request, timeout=60) as response:
                return read_page(response.url, response.status, response.read().decode())
        except urllib.error.HTTPError as exc:
            with exc:
                return read_page(exc.url, exc.code, exc.read().decode())
