"""Misconfiguration stops the platform before it does harm."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import Tags, run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.utils import timezone

from aiffinity.embedded.dotenv import development_variables
from aiffinity.lib.crypto import Secret, parse_keyring
from aiffinity.lib.models import Deployment, OutgoingMail
from aiffinity.lib.startup import refuse_misconfiguration

ROOT = Path(__file__).resolve().parents[2]


def database_errors():
    found = run_checks(tags=[Tags.database], databases=["default"])
    return [(error.id, error.msg) for error in found if str(error.id).startswith("aiffinity.")]


def errors_found():
    return [error.id for error in run_checks() if str(error.id).startswith("aiffinity.")]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ENVIRONMENT", "prod", ["aiffinity.E001", "aiffinity.E002"]),
        ("ENVIRONMENT", "production", ["aiffinity.E002"]),
        ("ENCRYPTION_KEYS", [], ["aiffinity.E003"]),
        ("ENCRYPTION_KEYS", ["k1:short"], ["aiffinity.E003"]),
        ("WORKER_NICENESS", -1, ["aiffinity.E006"]),
        ("WORKER_NICENESS", 20, ["aiffinity.E006"]),
        ("WORKER_NICENESS", 19, []),
        ("ENVIRONMENT", "development", []),
    ],
)
def test_bad_settings_are_refused(settings, name, value, expected):
    setattr(settings, name, value)
    assert errors_found() == expected


@pytest.mark.django_db
def test_the_database_remembers_its_environment(settings):
    assert [row.environment for row in Deployment.objects.all()] == ["development"]
    assert database_errors() == []
    settings.ENVIRONMENT = "production"
    assert database_errors() == [
        (
            "aiffinity.E004",
            "Wrong database: this database belongs to 'development', and AIFFINITY_ENVIRONMENT is 'production'.",
        )
    ]


@pytest.mark.django_db
def test_migrate_refuses_another_environments_database(settings):
    settings.ENVIRONMENT = "staging"
    settings.EGRESS_ALLOW, settings.EGRESS_ALLOW_HTTP = [], False
    with pytest.raises(SystemCheckError, match=r"aiffinity\.E004"):
        call_command("migrate", verbosity=0, interactive=False, skip_checks=False)


@pytest.mark.django_db(transaction=True)
def test_a_process_refuses_to_start_on_another_environments_database(settings):
    refuse_misconfiguration()
    settings.ENVIRONMENT = "production"
    with pytest.raises(SystemExit, match=r"E002.*\n.*E004: Wrong database: this database belongs to 'development'"):
        refuse_misconfiguration()


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "-c", "import aiffinity.wsgi"],
        [sys.executable, "-c", "import aiffinity.asgi"],
        [sys.executable, "-m", "celery", "-A", "aiffinity", "worker", "--pool", "solo"],
        [sys.executable, "-m", "celery", "-A", "aiffinity", "beat", "--schedule", "SCHEDULE", "--pidfile="],
    ],
    ids=["wsgi", "asgi", "worker", "beat"],
)
def test_every_kind_of_process_refuses_to_start_when_misconfigured(command, tmp_path):
    # Beat replaces whatever file it is given, a device too.
    command = [part.replace("SCHEDULE", str(tmp_path / "schedule")) for part in command]
    environment = {**os.environ, "AIFFINITY_ENVIRONMENT": "prod"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0
    assert "The platform refuses to start:\n  aiffinity.E001: AIFFINITY_ENVIRONMENT is unknown." in done.stderr


def test_a_database_address_that_is_none_is_said_without_showing_it():
    environment = {**os.environ, "DATABASE_URL": "hunter2@nowhere"}
    command = [sys.executable, "manage.py", "check"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0
    assert "DATABASE_URL must be an address such as postgres://user:password@host:5432/name." in done.stderr
    assert "hunter2" not in done.stderr


@pytest.mark.django_db
def test_rows_sealed_by_an_unknown_key_are_refused(settings):
    key = development_variables()["AIFFINITY_ENCRYPTION_KEYS"].replace("k1:", "lost:")
    sealed = parse_keyring([key]).encrypt(Secret("{}"), context="x")
    now = timezone.now()
    OutgoingMail.objects.create(to="a@b.test", subject="", sealed_body=sealed, next_attempt_at=now, created_at=now)
    assert database_errors() == [
        (
            "aiffinity.E005",
            "Rows of lib.OutgoingMail.sealed_body were sealed with master key 'lost', which is not configured.",
        )
    ]
    settings.ENCRYPTION_KEYS = [*settings.ENCRYPTION_KEYS, key]
    assert database_errors() == []


def test_check_deploy_is_clean_with_production_settings():
    environment = {
        **os.environ,
        **development_variables(),
        "AIFFINITY_ENV_FILE": "",
        "AIFFINITY_ENVIRONMENT": "production",
        "AIFFINITY_BASE_URL": "https://api.aiffinity.me",
        "ALLOWED_HOSTS": "api.aiffinity.me",
        "AIFFINITY_EGRESS_ALLOW": "",
        "AIFFINITY_EGRESS_ALLOW_HTTP": "false",
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("System check identified no issues")
