"""What the packages room is told of calls, and the panel of the review page."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from capabilities.models import Invocation
from capabilities.package_figures import push_call_counts, usage_of
from packages.models import Package
from packages.panels import render_panels
from tests.published import Published, publish

__all__ = ["publish"]


def call(published: Published, *, age: timedelta = timedelta(minutes=1), **fields: Any) -> None:
    """Write one invocation of the package."""
    Invocation.objects.create(
        app_id=published.app.pk,
        capability_id=published.capability_id(),
        capability="current_weather",
        mode="state",
        install_id="inst_x",
        version_id=published.version.pk,
        user_id="usr_x",
        latency_ms=20,
        created_at=timezone.now() - age,
        **{"status": "ok", **fields},
    )


def test_calls_of_the_last_hour_are_pushed_down(publish: Callable[..., Published]) -> None:
    busy, quiet = publish(), publish()
    quiet.set_package(calls_last_hour=7)
    for age in (1, 59, 61):
        call(busy, age=timedelta(minutes=age))
    push_call_counts()
    counts = dict(Package.objects.values_list("pk", "calls_last_hour"))
    assert counts == {busy.package.pk: 2, quiet.package.pk: 0}


def test_panel_of_the_review_page_shows_use_and_errors(publish: Callable[..., Published]) -> None:
    published = publish()
    assert usage_of(published.version)["error_rate_percent"] is None
    call(published)
    call(published, status="error", age=timedelta(hours=2))
    call(published, status="error", age=timedelta(hours=25))
    assert usage_of(published.version) == {
        "installs": 0,
        "installs_of_version": 0,
        "calls_last_hour": 1,
        "calls_last_day": 2,
        "errors_last_day": 1,
        "error_rate_percent": 50.0,
    }
    [panel] = [panel for panel in render_panels(published.version) if panel["name"] == "usage"]
    assert "1 (50.0 %)" in panel["html"]
