"""Fixtures of these tests."""

from helpers.toy_language import train, world  # noqa: F401
