"""API keys: made here, shown once, kept only as their hash."""

import secrets
from hashlib import sha256

_BYTES = 32


def new_key() -> tuple[str, str]:
    """A key of 32 random bytes, and its SHA-256 in hexadecimal for the configuration."""
    key = secrets.token_urlsafe(_BYTES)
    return key, sha256(key.encode()).hexdigest()
