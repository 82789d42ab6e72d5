"""Dimension performance: p50 and p95 over at least 20 calls, size and steadiness of answers (spec 3)."""

import statistics
from typing import Any

from packages.conformance.case import SAMPLES, SEQUENTIAL_SAMPLES, Case
from packages.conformance.registry import (
    READ_MODES,
    Finding,
    capability_check,
    failed,
    judge,
    not_applicable,
    version_check,
)

Descriptor = dict[str, Any]

MAX_P50_MS = 500
MAX_P95_MS = 2000
MAX_ANSWER_BYTES = 256 * 1024
MAX_HEALTH_MS = 1000
MAX_LOAD_FACTOR = 3


@capability_check("performance", weight=3, modes=READ_MODES)
def median_latency(case: Case, capability: Descriptor) -> Finding:
    """Half of the calls are answered within 500 ms."""
    return _percentile(case, capability, 50, MAX_P50_MS)


@capability_check("performance", weight=3, modes=READ_MODES)
def tail_latency(case: Case, capability: Descriptor) -> Finding:
    """Nineteen of twenty calls are answered within 2,000 ms."""
    return _percentile(case, capability, 95, MAX_P95_MS)


@capability_check("performance", weight=1, modes=READ_MODES)
def answer_size(case: Case, capability: Descriptor) -> Finding:
    """Answers are small enough for a phone."""
    sizes = [len(sample.answer.body) for sample in case.samples_of(capability) if sample.answer is not None]
    if not sizes:
        return failed("There was no answer to weigh.")
    largest = max(sizes)
    return judge(
        largest <= MAX_ANSWER_BYTES,
        f"The largest answer has {largest} bytes.",
        f"An answer has {largest} bytes. Keep it below {MAX_ANSWER_BYTES}: send less, or in pages.",
    )


@capability_check("performance", weight=1, modes=READ_MODES)
def latency_under_load(case: Case, capability: Descriptor) -> Finding:
    """Calls at the same time are not much slower than calls one after the other."""
    samples = [sample for sample in case.samples_of(capability) if sample.answer is not None]
    alone, together = samples[:SEQUENTIAL_SAMPLES], samples[SEQUENTIAL_SAMPLES:]
    if not alone or not together:
        return failed("Too few calls were answered to compare them.")
    quiet, loaded = (statistics.median(sample.latency_ms for sample in part) for part in (alone, together))
    return judge(
        loaded <= max(quiet * MAX_LOAD_FACTOR, MAX_P50_MS),
        f"The median is {round(quiet)} ms alone and {round(loaded)} ms with others.",
        f"The median grows from {round(quiet)} ms alone to {round(loaded)} ms with a few calls at the same time."
        " Serve calls side by side.",
    )


@version_check("performance", weight=1)
def health_latency(case: Case) -> Finding:
    """The health endpoint answers within one second."""
    if not case.runtime_app.health_check_url:
        return not_applicable("There is no health_check_url.")
    seen = case.health()
    if seen.status_code is None:
        return not_applicable("The health endpoint gave no answer to time, which counts for its reliability.")
    latency_ms = seen.latency_ms
    return judge(
        latency_ms <= MAX_HEALTH_MS,
        f"The health endpoint took {latency_ms} ms.",
        f"The health endpoint took {latency_ms} ms; at most {MAX_HEALTH_MS} are good. Answer from memory.",
    )


@capability_check("performance", weight=1, modes=("action",))
def action_latency(case: Case, capability: Descriptor) -> Finding:
    """An action is answered within 2,000 ms, if only with `pending`."""
    latencies = [sample.latency_ms for sample in case.samples_of(capability) if sample.answer is not None]
    if not latencies:
        return failed("There was no answer to time.")
    slowest = round(max(latencies))
    return judge(
        slowest <= MAX_P95_MS,
        f"The slowest call took {slowest} ms.",
        f"A call took {slowest} ms, at most {MAX_P95_MS} are good. Answer `pending` for what takes longer.",
    )


def _percentile(case: Case, capability: Descriptor, percent: int, limit_ms: int) -> Finding:
    samples = case.samples_of(capability)
    latencies = [sample.latency_ms for sample in samples if sample.answer is not None]
    # Calls that failed have no time of their own; they may not make a provider look fast.
    if len(latencies) < SAMPLES:
        return failed(f"Only {len(latencies)} of {SAMPLES} calls were answered; their times can't be judged.")
    value = round(statistics.quantiles(latencies, n=100, method="inclusive")[percent - 1])
    return judge(
        value <= limit_ms,
        f"p{percent} is {value} ms over {len(latencies)} calls.",
        f"p{percent} is {value} ms over {len(latencies)} calls; at most {limit_ms} ms are good.",
    )
