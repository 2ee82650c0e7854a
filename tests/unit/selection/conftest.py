"""Fixtures of these tests."""

from helpers.candidates import folder  # noqa: F401
from helpers.toy_language import train, world  # noqa: F401
