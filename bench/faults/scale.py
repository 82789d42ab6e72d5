"""How much the runs do: the whole of it, or a short version for the tests."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Counts, seconds, and how many times slower a call may be beside hung ones."""

    events: int = 10_000
    kills: int = 8
    kill_seconds: float = 5.0
    dead_events: int = 50_000
    outage_seconds: float = 60.0
    pause_seconds: float = 120.0
    beatless_seconds: float = 600.0
    restarts: int = 10
    calls: int = 2000
    slower: float = 2.0


SHORT = Scale(
    events=1000,
    kills=2,
    kill_seconds=1,
    dead_events=2000,
    outage_seconds=6,
    pause_seconds=20,
    beatless_seconds=10,
    restarts=2,
    calls=200,
    # Beside a whole test run the one p95 may be double the other by chance; a hung call takes 500 times as long.
    slower=10,
)
