"""`fact`: the frozen, slotted, keyword-only dataclass of the language.

Type checkers see it frozen, and mypy runs on everything. At run time its fields are set plainly: a
dataclass that freezes itself takes three times as long to make, and the order path makes hundreds.
"""

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def fact(cls: type[T]) -> type[T]:
    """Make the class a dataclass; see the module."""
    return dataclass(slots=True, kw_only=True, unsafe_hash=True)(cls)
