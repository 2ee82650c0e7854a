"""Fixtures of these tests."""

from helpers.toy_language import world  # noqa: F401
from helpers.toy_recogniser import recording, toy  # noqa: F401
