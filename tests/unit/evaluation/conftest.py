"""Fixtures of these tests."""

from helpers.finished_run import finished  # noqa: F401
