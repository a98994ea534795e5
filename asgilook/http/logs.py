"""What log lines look like: JSON for machines, a line of words for people at a terminal."""

import json
import logging
from datetime import UTC, datetime
from typing import Any, Literal

from uvicorn.config import LOGGING_CONFIG

from asgilook.http.served import Served

Form = Literal["json", "text"]

# Without `ensure_ascii` some terminals would obey what a line says.
_encode = json.JSONEncoder(separators=(",", ":")).encode


class JsonFormatter(logging.Formatter):
    """One line of JSON for each record, tracebacks included; a request's has fields of its own."""

    def format(self, record: logging.LogRecord) -> str:
        stamp = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {
            "time": stamp,
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        told = record.msg
        line |= told.fields() if isinstance(told, Served) else {"message": record.getMessage()}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return _encode(line)


def config(form: Form, *, with_requests: bool) -> dict[str, Any]:
    """Make what `logging.config.dictConfig` takes: all loggers write alike, to standard error."""
    loggers = {
        "uvicorn": {"level": "INFO"},
        "asgilook": {"level": "INFO"},
        "asgilook.access": {"level": "INFO" if with_requests else "WARNING"},
    }
    text = LOGGING_CONFIG["formatters"]["default"]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"default": text if form == "text" else {"()": JsonFormatter}},
        "handlers": {"default": LOGGING_CONFIG["handlers"]["default"]},
        # Libraries speak where something is wrong; what they say besides may hold signatures.
        "root": {"handlers": ["default"], "level": "WARNING"},
        "loggers": loggers,
    }
