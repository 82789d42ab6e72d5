"""Celery processes: the same logs, with the task's id and the id of the request that woke it."""

from typing import Any

from celery import signals

from aiffinity.lib.log_context import start_log_context
from aiffinity.lib.request_ids import current_request_id, get_request_id

REQUEST_ID_KEY = "aiffinity_request_id"


def keep_own_logging(**kwargs: Any) -> None:
    """Do nothing: Celery leaves logging alone once this signal has a receiver, and Django has set it up."""


def send_request_id(headers: dict[str, Any], **kwargs: Any) -> None:
    """Put the current request's id on a message."""
    headers[REQUEST_ID_KEY] = get_request_id()


def bind_task(task_id: str, task: Any, **kwargs: Any) -> None:
    """Bind the ids for the lines of one task."""
    current_request_id.set(task.request.get(REQUEST_ID_KEY) or "")
    start_log_context(task_id=task_id, task=task.name)


def connect_all() -> None:
    """Connect the receivers."""
    signals.setup_logging.connect(keep_own_logging)
    signals.before_task_publish.connect(send_request_id)
    signals.task_prerun.connect(bind_task)
