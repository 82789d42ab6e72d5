"""What schemathesis calls around each of its calls; it runs in a process of its own, beside the platform."""

import atexit
import json
import os
import random
from pathlib import Path
from typing import Any

import django
import schemathesis

django.setup()

from aiffinity.lib.ratelimit import redis_client  # noqa: E402 - Django has to be ready.
from bench.fuzz.ids import Ids  # noqa: E402

# How often a path gets ids that exist, and a body that nobody could guess; the rest stays as it was made up.
REAL_SHARE = 0.8
# The oldest things are the story's, without which most calls lead nowhere.
DELETABLE = 2
CALLS_PER_RATE_LIMIT = 40
# The provider's faults, and what its developer or ops stopped: an answer of the platform's that works.
NOT_OURS = frozenset({"UPSTREAM_ERROR", "UPSTREAM_INVALID_RESPONSE", "UPSTREAM_TIMEOUT", "CAPABILITY_SUSPENDED"})

ids = Ids()
calls = 0
succeeded: set[str] = set()
bodies: dict[str, dict[str, Any]] = json.loads(os.environ["FUZZ_BODIES"])
chance = random.Random(int(os.environ["FUZZ_SEED"]))  # noqa: S311 - Nothing secret comes of it.


def aim(context: Any, case: Any, kwargs: Any) -> None:
    """Let most calls be about things that exist, and none be stopped by a rate limit for long."""
    global calls  # noqa: PLW0603 - One process, one count.
    calls += 1
    if calls % CALLS_PER_RATE_LIMIT == 0:
        forget_rate_limits()
    if is_linked(case) or chance.random() > REAL_SHARE:
        return
    if case.path_parameters and not is_negative(case, "path"):
        found = ids.of(case.path_parameters)
        if case.method.upper() == "DELETE":
            found = found[:DELETABLE]
        if found:
            case.path_parameters = chance.choice(found)
    if case.operation.label in bodies and not is_negative(case, "body"):
        case.body = bodies[case.operation.label]


def is_linked(case: Any) -> bool:
    """Say whether the call is a step of a sequence, whose ids come from the answers before."""
    return case.meta is not None and case.meta.phase.name.value == "stateful"


def is_negative(case: Any, location: str) -> bool:
    """Say whether this part of the call was made wrong on purpose."""
    if case.meta is None:
        return False
    return any(place.value == location and part.mode.is_negative for place, part in case.meta.components.items())


def forget_rate_limits() -> None:
    """Let the calls of this minute count for nothing."""
    client = redis_client()
    keys = list(client.scan_iter("rl:*", count=1000))
    if keys:
        client.delete(*keys)


def note_success(context: Any, case: Any, response: Any) -> None:
    """Remember the operations that answered 2xx."""
    if 200 <= response.status_code < 300:
        succeeded.add(case.operation.label)


def is_ours(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Drop what is no fault of the platform's. The other checks judge such an answer nevertheless.

    A server error whose code says that the provider failed or that somebody suspended it is an answer that works; a
    status that the operation doesn't document is a violation even so. A wrong body under a condition that doesn't
    hold (412) is refused too, which schemathesis doesn't count as a refusal.
    """
    kind = type(failure).__name__
    if kind == "ServerError" and response.status_code in {502, 503, 504}:
        return error_code(response) not in NOT_OURS
    return not (kind == "AcceptedNegativeData" and response.status_code == 412)


def error_code(response: Any) -> str:
    """Return the code in an error envelope, or nothing where the answer is none."""
    try:
        return str(response.json()["error"]["code"])
    except (ValueError, LookupError, TypeError):
        return ""


def write_succeeded() -> None:
    """Leave the operations for the process that started this one."""
    Path(os.environ["FUZZ_SUCCEEDED"]).write_text(json.dumps(sorted(succeeded)))


schemathesis.hook("before_call")(aim)
schemathesis.hook("after_call")(note_success)
schemathesis.hook("filter_failure")(is_ours)
atexit.register(write_succeeded)
