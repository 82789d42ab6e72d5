"""Answers for validation runs."""

from typing import Any

from rest_framework import serializers

from packages.conformance.registry import DIMENSION_WEIGHTS
from packages.conformance.suite import PASSING_SCORE
from packages.models import RunState, ValidationRun


class CheckOut(serializers.Serializer[Any]):
    """One check of a run."""

    check = serializers.CharField()
    title = serializers.CharField()
    dimension = serializers.CharField()
    state = serializers.ChoiceField(choices=["pass", "fail", "error", "not_applicable"])
    weight = serializers.FloatField()
    blocking = serializers.BooleanField(help_text="A failed blocking check fails the run whatever the score.")
    capability = serializers.CharField(allow_null=True)
    message = serializers.CharField(help_text="What holds, or what to do.")
    pointer = serializers.CharField(help_text="JSON Pointer into the version.")


class DimensionScoreOut(serializers.Serializer[Any]):
    """The score of one dimension."""

    score = serializers.FloatField(allow_null=True, help_text="0 to 100; null where nothing could be judged.")
    weight = serializers.IntegerField()


class DimensionOut(DimensionScoreOut):
    """One dimension of a run."""

    checks = CheckOut(many=True)


class ProgressOut(serializers.Serializer[Any]):
    """How far a run is."""

    done = serializers.IntegerField()
    total = serializers.IntegerField()


class ValidationRunSummaryOut(serializers.Serializer[Any]):
    """A run of the conformance suite without its checks; `score` and `dimensions` come with its end."""

    id = serializers.CharField()
    version_id = serializers.CharField()
    state = serializers.ChoiceField(choices=RunState.choices)
    passed = serializers.BooleanField(allow_null=True)
    score = serializers.FloatField(allow_null=True)
    minimum_score = serializers.IntegerField()
    dimensions = serializers.DictField(child=DimensionScoreOut())
    blocking_findings = CheckOut(many=True)
    progress = ProgressOut()
    error = serializers.CharField(allow_null=True, help_text="What the platform could not do.")
    content_hash = serializers.CharField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class ValidationRunOut(ValidationRunSummaryOut):
    """A run of the conformance suite with its checks."""

    dimensions = serializers.DictField(child=DimensionOut())


def render_run(run: ValidationRun) -> dict[str, Any]:
    """Render a run with its checks, by dimension."""
    summary = render_run_summary(run)
    return {
        **summary,
        "dimensions": {
            name: {**dimension, "checks": [item for item in run.checks if item["dimension"] == name]}
            for name, dimension in summary["dimensions"].items()
        },
        "blocking_findings": [item for item in run.checks if item["blocking"] and item["state"] == "fail"],
    }


def render_run_summary(run: ValidationRun) -> dict[str, Any]:
    """Render a run without its checks."""
    is_judged = run.state in (RunState.PASSED, RunState.FAILED)
    return {
        "id": run.pk,
        "version_id": run.version_id,
        "state": run.state,
        "passed": run.state == RunState.PASSED if is_judged else None,
        "score": run.score,
        "minimum_score": PASSING_SCORE,
        "dimensions": {name: run.dimensions[name] for name in DIMENSION_WEIGHTS if name in run.dimensions},
        "blocking_findings": [],
        "progress": {"done": run.checks_done, "total": run.checks_total},
        "error": run.error or None,
        "content_hash": run.content_hash,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
    }
