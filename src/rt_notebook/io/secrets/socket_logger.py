"""Loggers for sockets that cannot give a key away."""

from __future__ import annotations

import logging

__all__ = ["socket_logger"]


def socket_logger(name: str, level: int) -> logging.Logger:
    """Return a logger without a DEBUG level: at that level websockets writes headers, and so keys."""
    logger = logging.getLogger(name)
    logger.addFilter(lambda record: record.levelno > logging.DEBUG)
    logger.setLevel(level)
    return logger
