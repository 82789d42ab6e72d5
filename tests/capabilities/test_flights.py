"""Single flight and the bulkhead, without HTTP."""

import threading
from typing import Any

import pytest

from aiffinity.lib.errors import ServiceUnavailable, UpstreamError
from capabilities.bulkhead import seat
from capabilities.flights import Flights


def test_who_joins_gets_what_the_leader_gets() -> None:
    flights: Flights[str] = Flights()
    assert flights.join("key") is None
    joined = flights.join("key")
    assert joined is not None
    assert flights.join("other") is None
    assert flights.land("key", lambda: "landed") == "landed"
    assert joined.result(timeout=0) == "landed"
    assert flights.join("key") is None


def test_an_error_reaches_everybody_and_ends_the_flight() -> None:
    flights: Flights[str] = Flights()
    flights.join("key")
    joined = flights.join("key")
    assert joined is not None

    def fail() -> str:
        raise UpstreamError

    with pytest.raises(UpstreamError):
        flights.land("key", fail)
    with pytest.raises(UpstreamError):
        joined.result(timeout=0)
    assert flights.join("key") is None


def test_seats_are_counted_per_app_and_given_back(settings: Any) -> None:
    settings.EXECUTE_MAX_IN_FLIGHT = 2
    with seat("app_1"), seat("app_1"):
        with pytest.raises(ServiceUnavailable) as refusal, seat("app_1"):
            pass
        assert refusal.value.headers == {"Retry-After": "1"}
        with seat("app_2"):
            pass
    with seat("app_1"):
        pass


def test_a_failed_call_gives_its_seat_back(settings: Any) -> None:
    settings.EXECUTE_MAX_IN_FLIGHT = 1
    with pytest.raises(UpstreamError), seat("app_1"):
        raise UpstreamError
    done = threading.Event()
    with seat("app_1"):
        done.set()
    assert done.is_set()
