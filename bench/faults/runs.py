"""The runs: each breaks one thing and returns its figures beside the bars of spec 6."""

import signal
import time
from collections.abc import Callable

from bench.events import await_true, pending, post
from bench.faults.invocations import upstreams_hung, version_suspended, web_killed
from bench.faults.load import Load, load
from bench.faults.scale import Scale
from bench.faults.world import World
from bench.figures import Bar, p95

TENANTS = 20
BACK_SECONDS = 30.0
CAUGHT_UP_SECONDS = 90.0
GIVE_UP_SECONDS = 600.0


def worker_killed(here: World, scale: Scale) -> list[Bar]:
    """Kill the only worker again and again while it delivers to twenty tenants."""
    from runtime.deliveries.drain import MAX_UNRECORDED

    event_ids = post(here.make_apps(TENANTS, behaviour="slow"), scale.events)
    kills = 0
    for _ in range(scale.kills):
        time.sleep(scale.kill_seconds)
        if pending() == 0:
            break
        here.kill_worker()
        kills += 1
    seconds = seconds_to_empty()
    return [
        Bar("kills", kills, 1, "", is_floor=True),
        Bar("events lost", lost(here, event_ids), 0, ""),
        Bar(f"duplicates after {kills} kills", duplicates(here), kills * MAX_UNRECORDED, ""),
        *intact(here),
        Bar("empty after the last kill", seconds, 60, "s"),
    ]


def redis_wiped(here: World, scale: Scale) -> list[Bar]:
    """Kill Redis with kill -9 under load, lose all that it knew, and start it empty."""

    def fail() -> None:
        here.wipe_redis()
        time.sleep(min(scale.outage_seconds, 10))
        here.valkey.start()

    return under_load(here, fail)


def redis_frozen(here: World, scale: Scale) -> list[Bar]:
    """Stop Redis with SIGSTOP under load."""

    def fail() -> None:
        with here.frozen_redis():
            time.sleep(scale.outage_seconds)

    return under_load(here, fail)


def postgres_restarted(here: World, scale: Scale) -> list[Bar]:
    """Restart PostgreSQL again and again under load."""

    def fail() -> None:
        for _ in range(scale.restarts):
            here.postgres.stop()
            here.postgres.start()
            time.sleep(3)

    return under_load(here, fail)


def postgres_away(here: World, scale: Scale) -> list[Bar]:
    """Take PostgreSQL away under load."""

    def fail() -> None:
        here.postgres.stop()
        time.sleep(scale.outage_seconds)
        here.postgres.start()

    return under_load(here, fail)


def worker_stopped(here: World, scale: Scale) -> list[Bar]:
    """Stop one of two workers with SIGSTOP in the middle of its deliveries, and let it go on much later."""
    from runtime.deliveries.drain import MAX_UNRECORDED

    here.start_worker()
    event_ids = post(here.make_apps(TENANTS, behaviour="slow"), scale.events)
    time.sleep(2)
    here.workers[0].send_signal(signal.SIGSTOP)
    time.sleep(scale.pause_seconds)
    here.workers[0].send_signal(signal.SIGCONT)
    seconds = seconds_to_empty()
    return [
        Bar("events lost", lost(here, event_ids), 0, ""),
        Bar("sent twice", duplicates(here), MAX_UNRECORDED, ""),
        *intact(here),
        Bar("caught up after it went on", seconds, CAUGHT_UP_SECONDS, "s"),
    ]


def beat_stopped(here: World, scale: Scale) -> list[Bar]:
    """Have no beat, lose the wake-ups with Redis, and have endpoints down for as long: beat alone finds the rest."""
    app_ids = here.make_apps(TENANTS, behaviour="down")
    here.stop_beats()
    here.wipe_redis()
    event_ids = post(app_ids, scale.events)
    here.valkey.start()
    time.sleep(scale.beatless_seconds)
    waiting = pending()
    here.bring_up()
    here.start_beat()
    seconds = seconds_to_empty()
    accepted = here.report()["accepted"]
    return [
        Bar("waiting when beat came back", waiting, scale.events, "", is_floor=True),
        Bar("events lost", len(set(event_ids) - accepted.keys()), 0, ""),
        Bar("taken twice", sum(accepted.values()) - len(accepted), 0, ""),
        *intact(here),
        Bar("caught up after beat came back", seconds, CAUGHT_UP_SECONDS, "s"),
    ]


def two_beats(here: World, scale: Scale) -> list[Bar]:
    """Run two beats and two workers at once."""
    here.start_beat()
    here.start_worker()
    event_ids = post(here.make_apps(TENANTS), scale.events)
    seconds_to_empty()
    return [
        Bar("events lost", lost(here, event_ids), 0, ""),
        Bar("sent twice", duplicates(here), 0, ""),
        *intact(here),
    ]


def noisy_neighbour(here: World, scale: Scale) -> list[Bar]:
    """Post a flood to an endpoint that never answers, and a hundred events to a good one."""
    noisy, good = here.make_apps(1, behaviour="hang"), here.make_apps(1)
    post(noisy, scale.dead_events)
    for _ in range(100):
        post(good, 1)
        time.sleep(0.05)
    await_true(lambda: pending(good) == 0, "The good endpoint got its events", GIVE_UP_SECONDS)
    delays = here.report()["delays"]["good"]
    return [
        Bar("events of the good one lost", 100 - len(delays), 0, ""),
        Bar("its delay, p50", sorted(delays)[len(delays) // 2], 5, "s"),
        Bar("its delay, p95", p95(delays), 5, "s"),
    ]


def bad_answers(here: World, scale: Scale) -> list[Bar]:
    """Deliver to endpoints that drip, bomb and never end, beside a good one."""
    from runtime.models import DeliveryAttempt

    good = here.make_apps(1)
    post(good, 100)
    await_true(lambda: pending(good) == 0, "The worker was warm")
    before = here.memory_megabytes()
    bad = [app for name in ("drip", "bomb", "endless") for app in here.make_apps(1, behaviour=name, timeout_ms=1000)]
    posted = post(bad, 60)
    post(good, 100)
    tried = DeliveryAttempt.objects.filter(delivery__event__in=posted)
    highest = before
    while tried.values("delivery").distinct().count() < len(posted):
        highest = max(highest, here.memory_megabytes())
        time.sleep(0.05)
    await_true(lambda: pending(good) == 0, "The good endpoint got its events", GIVE_UP_SECONDS)
    longest = max(tried.values_list("latency_ms", flat=True))
    return [
        Bar("longest answer beyond its 1 s", (longest - 1000) / 1000, 0.5, "s"),
        Bar("memory of the worker, more", highest - before, 32, "MB"),
        Bar("delay of the good one, p95", p95(here.report()["delays"]["good"]), 5, "s"),
    ]


def under_load(here: World, fail: Callable[[], None]) -> list[Bar]:
    """Have the API called all the time, break something, and judge what was acknowledged and answered."""
    app_ids = here.make_apps(TENANTS)
    with load(here, app_ids) as seen:
        time.sleep(5)
        fail()
        ended_at = time.monotonic()
        time.sleep(5)
    drop_connection()
    await_true(lambda: pending() == 0, "The queue was empty", GIVE_UP_SECONDS)
    seconds = time.monotonic() - ended_at
    return [*acknowledged(here, seen), *intact(here), Bar("back after", seconds, BACK_SECONDS, "s")]


def acknowledged(here: World, seen: Load) -> list[Bar]:
    """Judge what callers were told: nothing that was acknowledged is lost, and no answer is a 500."""
    from runtime.models import Delivery

    event_ids = list(Delivery.objects.filter(pk__in=seen.delivery_ids).values_list("event_id", flat=True))
    forgotten = len(seen.delivery_ids) - len(event_ids)
    return [
        Bar("calls acknowledged", len(seen.delivery_ids), 1, "", is_floor=True),
        Bar("of these lost", lost(here, event_ids) + forgotten, 0, ""),
        Bar("answers 503 with Retry-After", seen.statuses[503], sum(seen.statuses.values()), ""),
        Bar("answers 500, or without Retry-After", seen.server_errors, 0, ""),
        Bar("calls without an answer", seen.unanswered, 0, ""),
    ]


def intact(here: World) -> list[Bar]:
    """Judge what arrived: every signature good, every body the same each time."""
    seen = here.report()
    return [Bar("bad signatures", seen["bad_signatures"], 0, ""), Bar("changed bodies", seen["changed_bodies"], 0, "")]


def lost(here: World, event_ids: list[str]) -> int:
    """Return how many of the events never arrived."""
    return len(set(event_ids) - set(here.report()["event_ids"]))


def duplicates(here: World) -> int:
    """Return how many deliveries arrived once more."""
    seen = here.report()
    return int(seen["received"]) - len(seen["event_ids"])


def seconds_to_empty() -> float:
    """Wait until nothing is pending and return how long that took."""
    began_at = time.monotonic()
    await_true(lambda: pending() == 0, "The queue was empty", GIVE_UP_SECONDS)
    return time.monotonic() - began_at


def drop_connection() -> None:
    """Forget this process's own connection, which may have died with the server."""
    from django.db import connection

    connection.close()


RUNS: dict[str, Callable[[World, Scale], list[Bar]]] = {
    "worker-killed": worker_killed,
    "worker-stopped": worker_stopped,
    "redis-wiped": redis_wiped,
    "redis-frozen": redis_frozen,
    "postgres-restarted": postgres_restarted,
    "postgres-away": postgres_away,
    "beat-stopped": beat_stopped,
    "two-beats": two_beats,
    "noisy-neighbour": noisy_neighbour,
    "bad-answers": bad_answers,
    "upstreams-hung": upstreams_hung,
    "version-suspended": version_suspended,
    "web-killed": web_killed,
}
