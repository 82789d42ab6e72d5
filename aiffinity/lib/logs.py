"""Structured logs: one JSON line a record, with the request's ids and without secrets (spec 5, spec 6)."""

import json
import logging
import logging.config
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from aiffinity.lib.log_context import log_members
from aiffinity.lib.redaction import redact_always, redact_tree
from aiffinity.lib.request_ids import get_request_id

STANDARD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {
    "asctime",
    "color_message",
    "message",
    "request",
    "sinfo",
    "taskName",
}
# Sweeps run every few seconds; their failures are errors, their successes are no news.
CELERY_CHATTER = ("celery.app.trace", "celery.beat", "celery.worker.strategy")


class JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object; `extra` members become members of it."""

    def format(self, record: logging.LogRecord) -> str:
        """Render one line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": get_request_id(),
            **log_members(),
        }
        line.update({k: v for k, v in vars(record).items() if k not in STANDARD_ATTRIBUTES})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return _dump(redact_tree(line))


class HasTraceback(logging.Filter):
    """Lets only records with an exception through: the access log names the status of the others."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether the record carries an exception."""
        return bool(record.exc_info)


def _dump(line: Mapping[str, Any]) -> str:
    try:
        return orjson.dumps(line).decode()
    except TypeError:
        # A lone surrogate or a number beyond 64 bits must not cost the line.
        return json.dumps(line)


def configure(options: dict[str, Any]) -> None:
    """Send every process's records to standard error through the formatter (Django's LOGGING_CONFIG).

    `options` holds `level` and `secrets`, the configured values that no line may show. The servers' own
    loggers lose their handlers, so that their records take the same way.
    """
    redact_always(options.get("secrets", ()))
    logging.captureWarnings(capture=True)
    servers = ("uvicorn", "uvicorn.error", "uvicorn.access", "_granian", "granian.access", "celery")
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": {"()": JsonFormatter}},
            "filters": {"has_traceback": {"()": HasTraceback}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
            "root": {"handlers": ["stderr"], "level": options["level"]},
            "loggers": {
                **{name: {"handlers": [], "propagate": True} for name in servers},
                "django.request": {"level": "ERROR", "filters": ["has_traceback"]},
                "django.security.DisallowedHost": {"level": "CRITICAL"},
                **{name: {"level": "WARNING"} for name in ("kombu", *CELERY_CHATTER)},
            },
        }
    )
