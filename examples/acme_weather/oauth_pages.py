"""The HTTP side of the authorization server: the consent page, and the token and revocation endpoints."""

import html
import json
import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from authlib.oauth2.rfc6749 import OAuth2Error

from examples.acme_weather.access import log_in
from examples.acme_weather.json_http import JsonRequestHandler
from examples.acme_weather.oauth import SCOPES, AcmeAuthorizationServer, Answer, Request
from examples.acme_weather.oauth_store import OAuthStore

# No form-action: browsers hold the redirect behind a form to it too, and that one leads to the platform.
POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
PAGE_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
STYLE = """
:root { --ink: #14324a; --soft: #54708a; --paper: #fff; --sky: #dceefb; --sea: #0b6fb8; --line: #c9dfef;
        --bad: #b3261e; --on-sea: #fff }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7f1f9; --soft: #9db7cb; --paper: #12202c; --sky: #0a141d; --sea: #2b8fdc; --line: #25404f;
          --bad: #ff8a80; --on-sea: #0a141d }
}
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1rem;
       background: var(--sky); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }
main { width: 100%; max-width: 26rem; padding: 2rem; background: var(--paper); border-radius: 1rem;
       border: 1px solid var(--line) }
h1 { font-size: 1.35rem; line-height: 1.25; margin: .25rem 0 1rem }
ul { padding: 0; margin: 0 0 1.25rem; list-style: none }
li { padding: .6rem 0; border-top: 1px solid var(--line) }
li::before { content: "✓ "; color: var(--sea); font-weight: 700 }
.brand, .note { color: var(--soft); font-size: .875rem; margin: 0 0 .5rem }
.error { color: var(--bad) }
label { display: block; margin-bottom: .75rem; font-size: .875rem; color: var(--soft) }
input { width: 100%; margin-top: .25rem; padding: .65rem; font: inherit; color: var(--ink);
        background: var(--sky); border: 1px solid var(--line); border-radius: .5rem }
button { width: 100%; padding: .75rem; margin-top: .5rem; font: inherit; font-weight: 600; border-radius: .5rem;
         border: 1px solid var(--sea); color: var(--sea); background: none; cursor: pointer }
button[value=approve] { color: var(--on-sea); background: var(--sea) }
button:focus-visible, input:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px }
"""


class OAuthHandler(JsonRequestHandler):
    """Serves everything below /oauth; `oauth` is the server behind it."""

    oauth: AcmeAuthorizationServer

    def serve_oauth_get(self) -> bool:
        """Serve the consent page and its style; return False for other paths."""
        path = urlsplit(self.path)
        if path.path == "/oauth/style.css":
            self.send_bytes(200, STYLE.encode(), {"Content-Type": "text/css; charset=utf-8"})
        elif path.path == "/oauth/authorize":
            self._show_consent(read_form(path.query.encode()))
        else:
            return False
        return True

    def serve_oauth_post(self, body: bytes) -> bool:
        """Serve the user's decision and the endpoints for clients; return False for other paths."""
        endpoint = urlsplit(self.path).path
        if endpoint == "/oauth/authorize":
            self._decide(read_form(body))
        elif endpoint == "/oauth/token":
            self._answer_client("token", read_form(body))
        elif endpoint == "/oauth/revoke":
            self._answer_client("revocation", read_form(body))
        else:
            return False
        return True

    def _show_consent(self, values: dict[str, list[str]], *, error: str = "") -> None:
        request = Request("GET", values, {})
        try:
            grant = self.oauth.get_consent_grant(request)
        except OAuth2Error as refused:
            # To a redirect URI that is registered the error goes; to any other nothing is ever sent.
            self._send_answer(self.oauth.handle_error_response(request, refused))
            return
        self._send_page(401 if error else 200, consent_page(grant.request, values, error))

    def _decide(self, values: dict[str, list[str]]) -> None:
        given = {name: each[0] for name, each in values.items()}
        asked = {name: each for name, each in values.items() if name not in ("email", "password", "decision")}
        account = None
        if given.get("decision") == "approve":
            account = log_in(given.get("email", ""), given.get("password", ""))
            if account is None:
                self._show_consent(asked, error="Wrong address or password.")
                return
        request = Request("GET", asked, {})
        with self.oauth.store.lock:
            try:
                grant = self.oauth.get_authorization_grant(request)
            except OAuth2Error as refused:
                self._send_answer(self.oauth.handle_error_response(request, refused))
                return
            self._send_answer(self.oauth.create_authorization_response(request, account, grant))

    def _answer_client(self, endpoint: str, values: dict[str, list[str]]) -> None:
        store: OAuthStore = self.oauth.store
        request = Request("POST", values, dict(self.headers.items()))
        status, body, headers = self._token_answer(request) if endpoint == "token" else self._revocation_answer(request)
        entry = {
            "endpoint": endpoint,
            "grant_type": request.payload.grant_type,
            "auth_method": request.auth_method,
            "status": status,
        }
        store.requests.append(entry)
        self._send_answer((status, body, headers))

    def _token_answer(self, request: Request) -> Answer:
        store: OAuthStore = self.oauth.store
        time.sleep(store.switches.token_delay_seconds)
        if store.switches.is_token_endpoint_down:
            return 503, {"error": "temporarily_unavailable"}, []
        # Two requests with one refresh token: exactly one of them gets the next pair.
        with store.lock:
            answer: Answer = self.oauth.create_token_response(request)
        return answer

    def _revocation_answer(self, request: Request) -> Answer:
        store: OAuthStore = self.oauth.store
        if store.switches.is_revocation_down:
            return 503, {"error": "temporarily_unavailable"}, []
        with store.lock:
            answer: Answer = self.oauth.create_endpoint_response("revocation", request)
        return answer

    def _send_answer(self, answer: Answer) -> None:
        status, body, headers = answer
        if status == 302:
            self.send_bytes(303, b"", {**PAGE_HEADERS, **dict(headers)})
        elif self.path.startswith("/oauth/authorize"):
            self._send_page(status, error_page(str(body.get("error_description") or body.get("error"))))
        else:
            self.send_bytes(status, json.dumps(body).encode(), dict(headers) | {"Cache-Control": "no-store"})

    def _send_page(self, status: int, content: str) -> None:
        self.send_bytes(status, content.encode(), PAGE_HEADERS)


def read_form(encoded: bytes) -> dict[str, list[str]]:
    """Return the parameters of a query string or form."""
    return parse_qs(encoded.decode(errors="replace"), keep_blank_values=True, max_num_fields=100)


def consent_page(request: Any, values: dict[str, list[str]], error: str) -> str:
    """Return the page that asks a customer; what came in the request is escaped."""
    scopes = [f"<li>{html.escape(SCOPES[name])}</li>" for name in request.scope.split() if name in SCOPES]
    kept = [
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(each[0])}">'
        for name, each in values.items()
    ]
    told = f'<p class="error" role="alert">{html.escape(error)}</p>' if error else ""
    return _page(
        "Connect Aiffinity",
        f"""<h1>Let Aiffinity use your Acme Weather account?</h1>
<p class="note">It will be able to:</p><ul>{"".join(scopes) or "<li>Know that you have an account</li>"}</ul>{told}
<form method="post" action="/oauth/authorize">{"".join(kept)}
<label>Email<input name="email" type="email" autocomplete="username"></label>
<label>Password<input name="password" type="password" autocomplete="current-password"></label>
<button name="decision" value="approve">Log in and allow</button>
<button name="decision" value="deny">No, thanks</button></form>""",
    )


def error_page(reason: str) -> str:
    """Return the page for a request that can't be answered anywhere else."""
    return _page("Not possible", f"<h1>This request can't be answered</h1><p>{html.escape(reason)}</p>")


def authorization_url(base_url: str, **query: str) -> str:
    """Return the address of the consent page for these parameters, as a client makes it."""
    return f"{base_url}/oauth/authorize?{urlencode(query)}"


def _page(title: str, content: str) -> str:
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>{title} · Acme Weather</title><link rel="stylesheet" href="/oauth/style.css"></head>
<body><main><p class="brand">☂ Acme Weather</p>{content}</main></body></html>"""
