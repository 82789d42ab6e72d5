"""The runs about users' calls: providers that hang, a version that is suspended, a web process that is killed."""

import contextlib
import http.client as plain_http
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from aiffinity.embedded.processes import wait_until
from bench.events import make_account
from bench.faults.scale import Scale
from bench.faults.world import World
from bench.figures import Bar, p95

HUNG_CALLS = 100
CALLERS = 4
CALLS_PER_SECOND = 100
CALL_TIMEOUT_SECONDS = 40
ANSWERED_WITHIN_SECONDS = 15
SUSPENDED_WITHIN_SECONDS = 5
BUFFERED_SECONDS = 1
LOAD_SECONDS = 4
RECORDED_WITHIN_SECONDS = 10
# An answer that was sent before the kill may be read a moment after it.
READ_LATER_SECONDS = 0.5
WEATHER: dict[str, Any] = {
    "name": "current_weather",
    "mode": "state",
    "description": "Weather now",
    "refresh_interval_seconds": 60,
    "schema": {
        "input": {"type": "object", "properties": {"place": {"type": "string"}}},
        "output": {"type": "object", "properties": {"celsius": {"type": "number"}}},
    },
}


@dataclass(frozen=True)
class Installed:
    """A listed version that somebody has, and the token of an account that may call it."""

    version: Any
    install_id: str
    capability_id: str
    token: str


@dataclass(frozen=True)
class Answered:
    """One call: when it began and was answered, by this process's clock, and with what; status 0 means nothing."""

    began_at: float
    ended_at: float
    status: int
    invocation_id: str = ""
    is_retry_after_missing: bool = False

    @property
    def milliseconds(self) -> float:
        """Return how long the call took."""
        return (self.ended_at - self.began_at) * 1000


def upstreams_hung(here: World, scale: Scale) -> list[Bar]:
    """Have a hundred calls hang at one provider, and call another one meanwhile."""
    hung, good = install(here, "hang"), install(here, "good")
    before = [call(here, good) for _ in range(scale.calls)]
    with ThreadPoolExecutor(HUNG_CALLS) as pool:
        hanging = [pool.submit(call, here, hung) for _ in range(HUNG_CALLS)]
        during: list[Answered] = []
        while len(during) < scale.calls and not all(each.done() for each in hanging):
            during.append(call(here, good))
        ended = [each.result() for each in hanging]
    statuses = Counter(each.status for each in ended)
    slower = p95([each.milliseconds for each in during]) / p95([each.milliseconds for each in before])
    return [
        Bar("calls that hung until their deadline", statuses[504], 1, "", is_floor=True),
        Bar("refused at once, 503 with Retry-After", statuses[503], HUNG_CALLS, ""),
        Bar("other answers, or no Retry-After", HUNG_CALLS - statuses[503] - statuses[504] + missing(ended), 0, ""),
        Bar("longest of them", max(each.milliseconds for each in ended) / 1000, ANSWERED_WITHIN_SECONDS, "s"),
        Bar("calls to the other provider meanwhile", len(during), 1, "", is_floor=True),
        Bar("of these not answered with 200", sum(each.status != 200 for each in during), 0, ""),
        Bar("their p95, over before", slower, scale.slower, "x"),
    ]


def version_suspended(here: World, scale: Scale) -> list[Bar]:
    """Suspend a version while it is called a hundred times a second, in two web processes."""
    good = install(here, "good")
    with calls(here, good) as answers:
        time.sleep(LOAD_SECONDS)
        suspend(here, good)
        suspended_at = time.monotonic()
        time.sleep(SUSPENDED_WITHIN_SECONDS + LOAD_SECONDS)
    accepted = [each for each in answers if each.status == 200]
    late = [each for each in accepted if each.began_at > suspended_at + SUSPENDED_WITHIN_SECONDS]
    refused = [each for each in answers if each.status == 503]
    return [
        Bar("calls accepted before", sum(each.ended_at < suspended_at for each in accepted), 1, "", is_floor=True),
        Bar("calls refused after", len(refused), 1, "", is_floor=True),
        Bar("accepted 5 s after the suspension", len(late), 0, ""),
        Bar("the last one accepted", max([0.0, *(each.began_at - suspended_at for each in accepted)]), 5, "s"),
        Bar("other answers", len(answers) - len(accepted) - len(refused), 0, ""),
    ]


def web_killed(here: World, scale: Scale) -> list[Bar]:
    """Kill the web processes under a hundred calls a second: what may be lost is the last second of records."""
    from capabilities.models import Invocation

    good = install(here, "good")
    killed_at: list[float] = []
    with calls(here, good) as answers:
        for _ in range(scale.kills):
            time.sleep(LOAD_SECONDS)
            killed_at.append(here.kill_web())
        time.sleep(LOAD_SECONDS)
    promised = {each.invocation_id: each.ended_at for each in answers if each.status == 200}
    unbuffered = {
        key
        for key, at in promised.items()
        if not any(-READ_LATER_SECONDS <= kill - at <= BUFFERED_SECONDS for kill in killed_at)
    }

    def kept() -> set[str]:
        return set(Invocation.objects.filter(pk__in=list(promised)).values_list("pk", flat=True))

    wait_until(lambda: unbuffered <= kept(), timeout_seconds=RECORDED_WITHIN_SECONDS)
    return [
        Bar("kills", len(killed_at), 1, "", is_floor=True),
        Bar("calls answered with 200", len(promised), 1, "", is_floor=True),
        Bar(f"lost, of those more than {BUFFERED_SECONDS} s before a kill", len(unbuffered - kept()), 0, ""),
        Bar("lost, of those later than that", len(promised.keys() - kept()), CALLS_PER_SECOND * len(killed_at), ""),
        Bar("answers other than 200", sum(each.status not in (0, 200) for each in answers), 0, ""),
    ]


def install(here: World, behaviour: str) -> Installed:
    """List a version of a provider of that behaviour and install it."""
    from capabilities.installs import install_package
    from providers.identity.local import sign_id_token
    from providers.models import Account, User
    from runtime.registration import register_runtime_app

    account = make_account(f"{behaviour}@example.com")
    Account.objects.filter(pk=account.pk).update(plan_tier="enterprise")
    fields = {"name": behaviour, "description": "Weather", "runtime_url": f"{here.sink_url}/{behaviour}"}
    version = list_version(register_runtime_app(account, actor="bench", fields=fields).runtime_app)
    user = User.objects.create_user(f"user-of-{behaviour}@example.com")
    made, _ = install_package(user, version.package, actor="bench")
    return Installed(version, made.pk, version.capabilities[0]["capability_id"], sign_id_token(account.owner))


def list_version(runtime_app: Any) -> Any:
    """Make a package of an app with a listed data_only version."""
    from django.db import transaction
    from django.utils import timezone

    from packages.descriptors import freeze_capabilities, hash_of
    from packages.models import Package, Version

    now, app = timezone.now(), runtime_app.app
    with transaction.atomic():
        frozen = freeze_capabilities(runtime_app, [WEATHER], actor="bench")
        content_hash = hash_of(frozen, "data_only")
        return Version.objects.create(
            package=Package.objects.create(
                account=app.account, app=app, name=app.name, slug=f"{app.name}-weather", listed_at=now
            ),
            version="1.0.0",
            risk_tier="data_only",
            state="listed",
            capabilities=frozen,
            content_hash=content_hash,
            approved_content_hash=content_hash,
            approved_config_hash=runtime_app.config_hash,
            listed_at=now,
        )


_places = itertools.count(1)


def call(here: World, target: Installed) -> Answered:
    """Invoke the capability with params that nobody sent before, so that no kept answer serves."""
    body = {"params": {"place": f"place {next(_places)}"}, "install_id": target.install_id}
    return send(here, f"/v1/providers/capabilities/{target.capability_id}/invoke", body, target.token)


def send(here: World, path: str, body: dict[str, Any], token: str) -> Answered:
    """POST one call on a connection of its own."""
    began_at = time.monotonic()
    connection = plain_http.HTTPConnection("127.0.0.1", here.port, timeout=CALL_TIMEOUT_SECONDS)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        connection.request("POST", path, json.dumps(body).encode(), headers)
        response = connection.getresponse()
        content = json.loads(response.read())
    except (OSError, plain_http.HTTPException):
        return Answered(began_at, time.monotonic(), 0)
    finally:
        connection.close()
    is_refused = response.status == 503 and "Retry-After" not in response.headers
    invocation_id = content.get("data", {}).get("invocation_id", "")
    return Answered(began_at, time.monotonic(), response.status, invocation_id, is_refused)


def missing(answers: list[Answered]) -> int:
    """Return how many 503s don't say when to come back."""
    return sum(each.is_retry_after_missing for each in answers)


@contextlib.contextmanager
def calls(here: World, target: Installed) -> Iterator[list[Answered]]:
    """Have some callers invoke a capability at a steady pace until the block ends; gives the answers."""
    answers: list[Answered] = []
    stopped = threading.Event()

    def call_on() -> None:
        while not stopped.wait(CALLERS / CALLS_PER_SECOND):
            answers.append(call(here, target))

    callers = [threading.Thread(target=call_on, daemon=True) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    try:
        yield answers
    finally:
        stopped.set()
        for caller in callers:
            caller.join(CALL_TIMEOUT_SECONDS)


def suspend(here: World, target: Installed) -> None:
    """Suspend the version as its provider does."""
    path = f"/v1/providers/packages/manage/{target.version.package_id}/versions/{target.version.pk}/suspend"
    answer = send(here, path, {"reason": "Measured"}, target.token)
    assert answer.status == 200, answer  # noqa: S101  The run means nothing otherwise.
