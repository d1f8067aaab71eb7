"""Structured logs: one JSON object a line on standard error; no field can begin a line."""

import logging
import sys

import structlog


def configure_logs(level: str = "info") -> None:
    """Write lines of that level and above; JSON escapes control characters in values."""
    logging.basicConfig(level=logging.WARNING, handlers=[logging.NullHandler()], force=True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
