"""Plumbline: the order management core, the book of record."""
