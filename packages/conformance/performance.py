"""Dimension performance: p50 and p95 over at least 20 calls, size and steadiness of answers (spec 3)."""

import statistics
from typing import Any

from packages.conformance.case import SAMPLES, Case
from packages.conformance.registry import READ_MODES, Finding, capability_check, failed, judge

Descriptor = dict[str, Any]

MAX_P50_MS = 500
MAX_P95_MS = 2000
MAX_ANSWER_BYTES = 256 * 1024


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
