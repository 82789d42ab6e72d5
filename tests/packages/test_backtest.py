"""One check over everything that is listed, by its command."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.fakes import FakeProvider


def backtest(name: str) -> str:
    out = StringIO()
    call_command("backtest_check", name, stdout=out)
    return out.getvalue()


def test_who_would_newly_fail_is_named(maker, fake_provider: FakeProvider):
    acme = maker(fake_provider.url)
    version = acme.version("listed")
    assert backtest("answers_match_schema") == "1 listed versions asked, 0 fail, 0 of them newly.\n"

    fake_provider.wrong_schema = True
    lines = backtest("answers_match_schema").splitlines()
    assert lines[0] == f"newly fails: {version.package.slug} 1.0.0 ({version.pk})"
    assert lines[1].startswith("  current_weather: ")
    assert lines[-1] == "1 listed versions asked, 1 fail, 1 of them newly."


def test_what_failed_before_is_not_new(maker, fake_provider: FakeProvider):
    version = maker(fake_provider.url).version("listed")
    run = version.validation_runs.get()
    run.checks = [{"check": "answers_match_schema", "state": "fail"}]
    run.save(update_fields=["checks"])
    fake_provider.wrong_schema = True
    assert backtest("answers_match_schema").startswith("fails as before: ")


def test_only_listed_versions_are_asked(maker, fake_provider: FakeProvider):
    maker(fake_provider.url).version("draft")
    assert backtest("properties_typed") == "0 listed versions asked, 0 fail, 0 of them newly.\n"


def test_an_unknown_check_names_those_there_are():
    with pytest.raises(CommandError, match=r"There is no check 'nonsense'\. Known: .*answers_match_schema"):
        backtest("nonsense")
