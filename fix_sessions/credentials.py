"""Password hashes: Argon2id, made by the command line, checked in front of the FIX engine."""

from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import Argon2Error, InvalidHashError

# OWASP's second choice: about 20 ms and 19 MiB, so that many clients returning at once after a
# restart are all let in within seconds, and a guesser still pays for each guess.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)


class PasswordHashError(ValueError):
    """The text is no Argon2id hash; the message does not repeat it."""


def hash_password(text: str) -> str:
    """The Argon2id hash of a password, salted, in the PHC text form that configuration holds.

    Raises ValueError for an empty password and for characters that FIX text cannot carry.
    """
    if not text:
        raise ValueError("password: is empty; at least one character is needed")
    if not text.isprintable() or any(ord(character) > 0xFF for character in text):
        raise ValueError("password: holds a character that cannot stand in a FIX field")
    return _HASHER.hash(text)


def check_hash(password_hash: str) -> None:
    """Raise PasswordHashError unless the text is an Argon2id hash."""
    try:
        parameters = extract_parameters(password_hash)
    except InvalidHashError:
        raise PasswordHashError("is not an Argon2 hash in PHC form") from None
    if parameters.type is not Type.ID:
        raise PasswordHashError(f"is Argon2{parameters.type.name.lower()}, not Argon2id")


def verify_password(password_hash: str, text: str) -> bool:
    """Whether the password belongs to the hash; the time taken does not depend on the answer.

    Takes tens of milliseconds and holds no interpreter lock meanwhile: call it on a thread.
    """
    try:
        return _HASHER.verify(password_hash, text)
    except (Argon2Error, InvalidHashError):
        return False
