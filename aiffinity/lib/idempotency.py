"""Idempotency-Key on POST: the first answer is kept 24 hours and replayed (spec 2 "Idempotency")."""

import hashlib
import hmac
import logging
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from aiffinity.lib.canonical import canonical_json
from aiffinity.lib.client_address import client_address
from aiffinity.lib.envelope import dump_json, wrap
from aiffinity.lib.errors import Conflict, IdempotencyKeyReused, field_error, media_type_of
from aiffinity.lib.models import IdempotencyRecord

logger = logging.getLogger(__name__)

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"
WELL_FORMED = re.compile(r"\A[\x20-\x7e]{1,255}\Z")
KEPT_FOR = timedelta(hours=24)
LOCKED_FOR = timedelta(seconds=60)


class Replay(Exception):
    """Not an error: carries a kept answer past the view's method."""

    def __init__(self, response: Response) -> None:
        self.response = response
        super().__init__("replay")


@dataclass(frozen=True)
class Claim:
    """A key that this request holds, and how its answer is kept."""

    record: IdempotencyRecord
    is_bare: bool
    one_time_fields: tuple[str, ...]


def begin(request: Request, *, is_bare: bool, one_time_fields: tuple[str, ...]) -> None:
    """Claim the request's key, if it has one.

    Raises Replay with the kept answer, IdempotencyKeyReused (409) for another request under the same key
    and Conflict (409, Retry-After) while the first still runs.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return
    if not WELL_FORMED.match(key):
        raise field_error(HEADER, "Send 1 to 255 printable ASCII characters.")
    record = _claim(_caller(request), key, _request_hash(request))
    request.idempotency_claim = Claim(record, is_bare, one_time_fields)  # type: ignore[attr-defined]


def finish(request: Request, response: Response) -> None:
    """Keep the answer under the claimed key, or free the key where the answer must not be kept."""
    claim: Claim | None = getattr(request, "idempotency_claim", None)
    if claim is None:
        return
    # Whoever took the key over after its lock ran out has another `locked_until`.
    mine = IdempotencyRecord.objects.filter(pk=claim.record.pk, locked_until=claim.record.locked_until)
    try:
        if response.status_code >= 500 or response.status_code == 429:
            mine.delete()
        else:
            mine.update(status=response.status_code, body=_kept_body(response, claim))
    except DatabaseError:
        logger.exception("the answer under an Idempotency-Key could not be kept")


def _kept_body(response: Response, claim: Claim) -> Any:
    body = response.data if response.exception or claim.is_bare else wrap(response.data)
    return _without(orjson.loads(dump_json(body)), claim.one_time_fields)


def _claim(caller: str, key: str, request_hash: str) -> IdempotencyRecord:
    now = timezone.now()
    with transaction.atomic():
        record, is_new = IdempotencyRecord.objects.select_for_update().get_or_create(
            caller=caller,
            key=key,
            defaults={
                "request_hash": request_hash,
                "locked_until": now + LOCKED_FOR,
                "expires_at": now + KEPT_FOR,
            },
        )
        if is_new:
            return record
        if record.expires_at > now:
            _refuse_or_replay(record, request_hash)
        record.request_hash, record.status, record.body = request_hash, None, None
        record.locked_until, record.expires_at = now + LOCKED_FOR, now + KEPT_FOR
        record.save()
        return record


def _refuse_or_replay(record: IdempotencyRecord, request_hash: str) -> None:
    if record.request_hash != request_hash:
        raise IdempotencyKeyReused
    if record.status is not None:
        response = Response(
            record.body,
            status=record.status,
            headers={REPLAYED_HEADER: "true"},
            content_type=media_type_of(record.body),
        )
        response.is_enveloped = True  # type: ignore[attr-defined]
        raise Replay(response)
    if record.locked_until > timezone.now():
        raise Conflict("The first request with this Idempotency-Key still runs.", headers={"Retry-After": "2"})


def _caller(request: Request) -> str:
    return getattr(request.auth, "key", "") or f"address:{client_address(request._request)}"


def _request_hash(request: Request) -> str:
    """Hash what was asked, with a key: a body may hold a password, which a bare hash would let be guessed."""
    said = {"method": request.method, "path": request.get_full_path(), "body": request.data}
    return hmac.new(settings.SECRET_KEY.encode(), b"idempotency:" + canonical_json(said), hashlib.sha256).hexdigest()


def _without(value: Any, names: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {key: _without(inner, names) for key, inner in value.items() if key not in names}
    if isinstance(value, list):
        return [_without(inner, names) for inner in value]
    return value
