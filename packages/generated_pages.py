"""docs/conformance.md and docs/version-states.md, made from the checks and from the transition table."""

from packages.conformance.registry import CHECKS, DIMENSION_WEIGHTS, Check
from packages.conformance.suite import PASSING_SCORE
from packages.states import TABLE, Transition
from runtime.descriptors import MODES


def render_conformance() -> str:
    """Render every check of the suite by dimension."""
    lines = [
        "# Conformance suite",
        "",
        "`POST …/versions/{vid}/validate` asks these checks of a version and of the provider behind its",
        "`runtime_url`, through the client that production uses. A dimension's score is the share of weight that",
        "passed; the overall score is the mean weighted by dimension. A run passes with",
        f"{PASSING_SCORE} or more and no failed blocking check.",
        "",
        "A check ends as `pass`, `fail`, `not_applicable` (counts neither way) or `error` (the platform's fault: the",
        "run ends `errored`, without a score, and can be repeated). A check of a capability shares its weight among",
        "the capabilities that it is asked for.",
        "",
    ]
    for dimension, weight in DIMENSION_WEIGHTS.items():
        lines += [f"## {dimension} (weight {weight})", "", "| check | what it looks at | asked for | weight |"]
        lines += ["| --- | --- | --- | --- |"]
        lines += [_row(check) for check in CHECKS.values() if check.dimension == dimension]
        lines.append("")
    return "\n".join(lines)


def render_states() -> str:
    """Render the state machine as a drawing and as a table."""
    lines = [
        "# States of a version",
        "",
        "Made from the table in `packages/states.py`, which is the only place that writes a version's state.",
        "",
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> draft",
        *(f"    {row.source} --> {row.target}: {row.verb} ({', '.join(row.roles)})" for row in TABLE),
        "```",
        "",
        "| from | to | verb | by | must hold | event |",
        "| --- | --- | --- | --- | --- | --- |",
        *(_transition_row(row) for row in TABLE),
        "",
    ]
    return "\n".join(lines)


def _row(check: Check) -> str:
    blocking = " **Blocking.**" if check.is_blocking else ""
    if check.for_version is not None:
        asked_for = "the version"
    else:
        asked_for = "every capability" if check.modes == MODES else f"mode {', '.join(check.modes)}"
    return f"| `{check.name}` | {check.title}{blocking} | {asked_for} | {check.weight:g} |"


def _transition_row(row: Transition) -> str:
    guards = ", ".join(row.guards).replace("_", " ")
    event = f"`{row.event}`" if row.event else ""
    return f"| {row.source} | {row.target} | {row.verb} | {', '.join(row.roles)} | {guards} | {event} |"
