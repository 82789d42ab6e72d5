"""What Acme Weather can do: one function for each capability, and nothing of HTTP."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from examples.acme_weather.store import KeyReusedError, Store

Json = dict[str, Any]

WEATHER_TTL_SECONDS = 900
PRIORITIES = ("low", "medium", "high", "urgent")
MERCHANTS = ("Fjord Coffee", "Nordic Rail", "Bergen Books", "Aurora Outfitters", "Harbour Grocers")
TRANSACTION_COUNT = 120
MAX_PAGE_ITEMS = 50


class ProviderError(Exception):
    """A refusal that the caller gets as `{"status": "error", "error": {code, message, retryable}}`."""

    def __init__(self, status_code: int, code: str, message: str, *, is_retryable: bool = False) -> None:
        super().__init__(message)
        self.status_code, self.code = status_code, code
        error = {"code": code, "message": message, "retryable": is_retryable}
        self.body = {"status": "error", "error": error}


@dataclass(frozen=True)
class Call:
    """One execute call, checked and parsed; `account` is whose account at Acme it speaks for, None for nobody's."""

    capability: str
    mode: str
    params: Json
    user_id: str
    idempotency_key: str | None
    context: Json
    account: str | None = None


class Capabilities:
    """Runs calls; `modes` names every capability with its mode."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._handlers: dict[str, Callable[[Call], Json]] = {
            "current_weather": current_weather,
            "create_task": self._create_task,
            "recent_transactions": recent_transactions,
            "my_stations": my_stations,
        }
        self.modes = {
            "current_weather": "state",
            "create_task": "action",
            "recent_transactions": "history",
            "my_stations": "state",
        }

    def require_known(self, name: str) -> None:
        """Raise ProviderError `unknown_capability` (404) unless there is a capability of that name."""
        if name not in self.modes:
            raise ProviderError(404, "unknown_capability", f"There is no capability {name!r}.")

    def run(self, call: Call) -> Json:
        """Return the answer to a call: `status`, `data`, `ttl`, and `nextCursor` for history.

        Raises ProviderError with `unknown_capability` (404), `invalid_request` or `invalid_params`
        (400), or `idempotency_key_reused` (409).
        """
        self.require_known(call.capability)
        if call.mode != self.modes[call.capability]:
            raise ProviderError(400, "invalid_request", f"mode: {call.mode!r} is not its mode.")
        answer = self._handlers[call.capability](call)
        return {"status": "ok", "metadata": {"source": "Acme Weather"}, **answer}

    def _create_task(self, call: Call) -> Json:
        check_params(call.params, {"title": str, "description": str, "priority": str, "assignee_id": str})
        if not 1 <= len(call.params.get("title", "")) <= 255:
            raise invalid_params("title", "is required and has at most 255 characters")
        if call.params.get("priority", "low") not in PRIORITIES:
            raise invalid_params("priority", f"must be one of {', '.join(PRIORITIES)}")
        try:
            task_id = self._store.add_task(
                user_id=call.user_id, idempotency_key=call.idempotency_key, params=call.params
            )
        except KeyReusedError as error:
            message = "This Idempotency-Key came with other params before."
            raise ProviderError(409, "idempotency_key_reused", message) from error
        return {"data": {"task_id": task_id, "url": f"https://acmeweather.com/tasks/{task_id}"}, "ttl": 0}


def current_weather(call: Call) -> Json:
    """Return the weather of `location` (Oslo unless given), always the same for one place."""
    check_params(call.params, {"location": str})
    location = call.params.get("location", "Oslo").strip()
    if not 1 <= len(location) <= 100:
        raise invalid_params("location", "has 1 to 100 characters")
    digest = hashlib.sha256(location.casefold().encode(errors="replace")).digest()
    temperature_c = (int.from_bytes(digest[:2], "big") % 451 - 100) / 10
    mild = ("sunny", "cloudy", "rainy", "windy", "stormy")
    weather = {
        "location": location,
        "temperature_c": temperature_c,
        "condition": "snowy" if temperature_c < 0 else mild[digest[2] % len(mild)],
        "humidity_pct": 30 + digest[3] % 66,
    }
    return {"data": weather, "ttl": WEATHER_TTL_SECONDS}


def my_stations(call: Call) -> Json:
    """Return the customer's own weather stations; raises ProviderError `access_required` (401) for nobody's call."""
    if call.account is None:
        raise ProviderError(401, "access_required", "Only a customer of ours has stations.")
    check_params(call.params, {"limit": int})
    owner = call.account.partition("@")[0].capitalize()
    stations = [f"{owner}'s roof", f"{owner}'s harbour"][: call.params.get("limit", 2)]
    return {"data": {"account": call.account, "stations": stations}, "ttl": WEATHER_TTL_SECONDS}


def recent_transactions(call: Call) -> Json:
    """Return a page of transactions, newest first; `nextCursor` is the last id, None at the end."""
    check_params(call.params, {"cursor": str, "limit": int})
    limit = call.params.get("limit", 20)
    if not 1 <= limit <= MAX_PAGE_ITEMS:
        raise invalid_params("limit", f"must be 1 to {MAX_PAGE_ITEMS}")
    ids = [f"txn_{number:04d}" for number in range(TRANSACTION_COUNT, 0, -1)]
    cursor = call.params.get("cursor")
    if cursor is not None and cursor not in ids:
        raise invalid_params("cursor", "is not one that we gave out")
    start = 0 if cursor is None else ids.index(cursor) + 1
    page = ids[start : start + limit]
    has_more = start + limit < len(ids)
    return {
        "data": [transaction(call.user_id, transaction_id) for transaction_id in page],
        "ttl": 0,
        "nextCursor": page[-1] if has_more else None,
    }


def transaction(user_id: str, transaction_id: str) -> Json:
    """Return one transaction, made up from the user and the id so that it never changes."""
    digest = hashlib.sha256(f"{user_id} {transaction_id}".encode()).digest()
    return {
        "id": transaction_id,
        "amount": (int.from_bytes(digest[:2], "big") % 20000 + 100) / 100,
        "merchant": MERCHANTS[digest[2] % len(MERCHANTS)],
        "date": (date(2026, 1, 1) + timedelta(days=int(transaction_id[-4:]))).isoformat(),
    }


def check_params(params: Json, types: dict[str, type]) -> None:
    """Raise ProviderError `invalid_params` for the first param that is unknown or of a wrong type."""
    for name, value in params.items():
        if name not in types:
            raise invalid_params(name, f"is unknown; known are {', '.join(types)}")
        if type(value) is not types[name]:
            raise invalid_params(name, "has the wrong type")


def invalid_params(name: str, reason: str) -> ProviderError:
    """Return the refusal of one param."""
    return ProviderError(400, "invalid_params", f"{name}: {reason}.")
