"""The generated `.env` of a development machine."""

import base64
import os
from pathlib import Path

import environ

from aiffinity.embedded.dotenv import development_variables, ensure_dotenv

EXAMPLE = Path(__file__).resolve().parents[2] / ".env.example"


def test_a_new_file_has_random_keys_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    previous = os.umask(0)
    try:
        assert ensure_dotenv(path) is True
    finally:
        os.umask(previous)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == [".env"]
    values = dict(line.split("=", 1) for line in path.read_text().splitlines())
    key_id, _, key = values["AIFFINITY_ENCRYPTION_KEYS"].partition(":")
    assert key_id == "k1"
    assert len(base64.b64decode(key, validate=True)) == 32
    assert len(base64.b64decode(values["AIFFINITY_USER_ID_KEY"], validate=True)) == 32
    assert len(values["SECRET_KEY"]) >= 50
    assert development_variables()["SECRET_KEY"] != values["SECRET_KEY"]


def test_an_existing_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("SECRET_KEY=mine\n")
    assert ensure_dotenv(path) is False
    assert path.read_text() == "SECRET_KEY=mine\n"


def test_settings_read_the_values_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    ensure_dotenv(path)
    reader = type("Reader", (environ.Env,), {"ENVIRON": {}})()
    reader.read_env(str(path))
    assert dict(line.split("=", 1) for line in path.read_text().splitlines()) == reader.ENVIRON
    assert reader.list("AIFFINITY_EGRESS_ALLOW") == ["127.0.0.0/8", "[::1]/128"]


def test_the_example_explains_every_generated_variable() -> None:
    named = {line.lstrip("# ").split("=")[0] for line in EXAMPLE.read_text().splitlines() if "=" in line}
    assert set(development_variables()) <= named
