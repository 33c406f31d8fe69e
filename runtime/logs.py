"""Structured logs: ids and reasons, one JSON object a line, or a readable line in a terminal.

Whatever library a line comes from, it passes through the same processors; the first removes what must not be there.
"""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

SECRET_NAME = re.compile(r"token|secret|authorization|password|verifier|api_key|cookie", re.IGNORECASE)
BEARER = re.compile(r"(?i)bearer\s+\S+")
# It begins where a word begins: tried from every letter, a long word without an @ would take minutes.
EMAIL = re.compile(r"(?<![^\s@'\"<>])[^\s@'\"<>]+@[^\s@'\"<>]+\.[^\s@'\"<>]+")
HOOK_PATH = re.compile(r"(/hooks/[a-z-]+/[a-z0-9-]+/)[^\s/?\"']+")
LIBRARYS_OWN = ("_record", "_from_structlog", "exc_info")  # taken apart, an exception could not be shown
NOISY = (
    "httpx",
    "httpcore",
    "uvicorn.access",
    "alembic",
    "sqlalchemy.engine",
)  # these would print addresses and queries


def set_up_logs(process: str, form: Literal["console", "json"] = "console", level: str = "info") -> None:
    """Send everything that is logged in this process to standard error, in one form, under one process name."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _temporal_ids,
        redact,
    ]
    last: Processor = (
        structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _redact_trace,
            last,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(process=process)


def redact(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Remove secrets by name, and bearer tokens, hook secrets and email addresses by shape."""
    del logger, method
    kept = {name: event[name] for name in LIBRARYS_OWN if name in event}
    return {name: "[removed]" if SECRET_NAME.search(name) else _clean(value) for name, value in event.items()} | kept


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        value = BEARER.sub("Bearer [removed]", value)
        value = HOOK_PATH.sub(r"\1[removed]", value)
        return EMAIL.sub("[email]", value)
    if isinstance(value, Mapping):
        return {key: "[removed]" if SECRET_NAME.search(str(key)) else _clean(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(each) for each in value]
    return value if isinstance(value, int | float | None) else _clean(str(value))


def _redact_trace(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """The text of an exception is written after `redact` ran."""
    del logger, method
    return {**event, "exception": _clean(event["exception"])} if "exception" in event else event


def _temporal_ids(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Keep the ids of Temporal's long dictionaries."""
    del logger, method
    for name in ("temporal_workflow", "temporal_activity"):
        details = event.pop(name, None)
        if isinstance(details, Mapping):
            event["workflow"] = details.get("workflow_id")
            event["activity"] = details.get("activity_type")
    return {key: value for key, value in event.items() if value is not None}
