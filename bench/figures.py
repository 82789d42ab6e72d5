"""Figures of benchmarks: times in milliseconds, their medians and 95th percentiles, and the bars beside them."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Bar:
    """One figure and what it has to be: at most `limit`, or at least where `is_floor`."""

    name: str
    figure: float
    limit: float
    unit: str
    is_floor: bool = False

    @property
    def is_met(self) -> bool:
        """Say whether the figure is good enough."""
        return self.figure >= self.limit if self.is_floor else self.figure <= self.limit

    def as_row(self, run: str) -> str:
        """Return the figure as a row of a Markdown table."""
        word = "≥" if self.is_floor else "≤"
        unit = f" {self.unit}" if self.unit else ""
        return f"| {run} | {self.name} | {self.figure:.1f}{unit} | {word} {self.limit:g}{unit} |".replace(".0 |", " |")

    def __str__(self) -> str:
        word = "at least" if self.is_floor else "at most"
        verdict = "" if self.is_met else "  MISSED"
        return f"  {self.name:<46}{self.figure:>10.1f} {self.unit:<8} {word} {self.limit:g}{verdict}"


def measure_ms(call: Callable[[], Any], times: int) -> list[float]:
    """Return how long each of some calls took, in milliseconds, after one that warms up."""
    call()
    taken = []
    for _ in range(times):
        began_at = time.perf_counter()
        call()
        taken.append((time.perf_counter() - began_at) * 1000)
    return taken


def p50(taken: Sequence[float]) -> float:
    """Return the median."""
    return statistics.median(taken)


def p95(taken: Sequence[float]) -> float:
    """Return the value that nineteen of twenty stay below."""
    return statistics.quantiles(taken, n=20, method="inclusive")[-1]


def report(title: str, bars: Sequence[Bar]) -> int:
    """Print every figure beside its bar; return 1 where one is missed."""
    print(title)
    for bar in bars:
        print(bar)
    return 0 if all(bar.is_met for bar in bars) else 1
