"""Unscribed: speech recognition from untranscribed audio and unrelated text."""
