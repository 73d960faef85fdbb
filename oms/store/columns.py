"""The MetaData that all tables share, and kinds of columns that recur."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Boolean, Column, DateTime, MetaData, Numeric, Text, text

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)


def moment(name: str, *, nullable: bool = False) -> Column[datetime]:
    """A column with a point in time."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def words(name: str, *, nullable: bool = False) -> Column[str]:
    """A text column, empty unless said otherwise."""
    if nullable:
        return Column(name, Text)
    return Column(name, Text, nullable=False, server_default=text("''"))


def number(name: str, *, nullable: bool = False) -> Column[Decimal]:
    """An exact number of any size and scale."""
    return Column(name, Numeric, nullable=nullable)


def flag(name: str) -> Column[bool]:
    """A boolean column, false unless said otherwise."""
    return Column(name, Boolean, nullable=False, server_default=text("false"))
