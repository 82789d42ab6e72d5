"""What every answer of the API has to look like, however hostile the request was."""

from typing import Any

from aiffinity.lib.errors import REGISTRY

TOKEN_PATH = "/v1/providers/auth/token"
OAUTH_PATHS = {TOKEN_PATH, "/v1/providers/auth/revoke", "/v1/providers/auth/introspect"}
# RFC 6749 section 5.2 fixes the errors of the endpoints of OAuth clients.
OAUTH_ERRORS = {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type"}


def check_answer(response: Any, said: Any) -> dict[str, Any]:
    """Check that an answer is no failure of the platform and that an error is in its envelope; return the error."""
    assert response.status_code < 500, (said, response.status_code, response.content[:500])
    assert response.headers["Content-Type"] == "application/json", (said, response.content[:500])
    if response.status_code < 400:
        return {}
    content = response.json()
    if isinstance(content.get("error"), str):
        assert response.wsgi_request.path in OAUTH_PATHS, said
        assert content["error"] in OAUTH_ERRORS, (said, content)
        return {}
    error: dict[str, Any] = content["error"]
    assert set(error) == {"code", "message", "requestId", "details"}, (said, error)
    assert response.status_code in REGISTRY[error["code"]].statuses, (said, error)
    assert error["requestId"] == response.headers["X-Request-Id"], said
    assert all(set(detail) == {"field", "code", "message"} for detail in error["details"]), (said, error)
    return error


def check_page(response: Any, said: Any) -> None:
    """Check that a page for a browser is no failure of the platform, and repeats nothing of what it was asked."""
    assert response.status_code < 500, (said, response.status_code, response.content[:500])
    assert response.headers["Content-Type"] == "text/html; charset=utf-8", said
    value = str(said).partition("=")[2]
    assert len(value) < 2 or value not in response.content.decode(), said


def check_refused(response: Any, said: Any, *, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is this refusal; return the error."""
    error = check_answer(response, said)
    assert (response.status_code, error.get("code")) == (status, code), (said, response.content[:500])
    return error
