"""One check asked of everything that is listed: who would newly fail, before a check is added or changed."""

from collections.abc import Iterator
from dataclasses import dataclass

from aiffinity.lib.ids import new_id
from packages.conformance.case import Case, OutOfTimeError
from packages.conformance.registry import CALLED_MODES, CHECKS, Check, State
from packages.conformance.suite import ask_check
from packages.models import ValidationRun, Version, VersionState
from runtime.models import RuntimeApp

LIVE_DIMENSIONS = ("contract", "reliability", "performance", "security")


@dataclass(frozen=True)
class BacktestResult:
    """How one listed version does on the check now, and whether it stood better in its newest run."""

    version: Version
    state: str
    is_newly_failing: bool
    messages: tuple[str, ...]


def backtest_check(name: str) -> Iterator[BacktestResult]:
    """Ask one check of every listed version, oldest listing first; writes nothing but health checks.

    Raises KeyError for a check that doesn't exist. Checks of a live dimension call the providers.
    """
    check = CHECKS[name]
    listed = Version.objects.filter(state=VersionState.LISTED).order_by("listed_at", "pk")
    # The ids come first: no cursor stays open while providers are called.
    for version_id in list(listed.values_list("pk", flat=True)):
        version = Version.objects.select_related("package__app", "package__account").get(pk=version_id)
        runtime_app = RuntimeApp.objects.select_related("app").filter(pk=version.package.app_id).first()
        if runtime_app is not None:
            yield _result(check, version, Case(version=version, runtime_app=runtime_app, run_id=new_id("run")))


def _result(check: Check, version: Version, case: Case) -> BacktestResult:
    if check.dimension in LIVE_DIMENSIONS:
        _sample(check, case)
    findings = ask_check(check, case)
    failing = [item for item in findings if item["state"] == State.FAIL]
    worst = State.FAIL if failing else next((item["state"] for item in findings), State.NOT_APPLICABLE)
    return BacktestResult(
        version=version,
        state=str(worst),
        is_newly_failing=bool(failing) and not _failed_before(check, version),
        messages=tuple(f"{item['capability'] or 'package'}: {item['message']}" for item in failing),
    )


def _sample(check: Check, case: Case) -> None:
    concerned = [item for item in case.capabilities if item["mode"] in CALLED_MODES and item["mode"] in check.modes]
    for capability in concerned:
        try:
            case.take_samples(capability)
        except OutOfTimeError:
            return


def _failed_before(check: Check, version: Version) -> bool:
    newest = ValidationRun.objects.filter(version=version).exclude(finished_at=None).order_by("-created_at").first()
    found = newest.checks if newest else []
    return any(item["check"] == check.name and item["state"] == State.FAIL for item in found)
