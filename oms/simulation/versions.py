"""How parties of FIX 4.2 and FIX 5.0 SP2 speak and hear; their books are FIX 4.4's.

Apart from the server's own dialects, so that a mistake there is not made here too.
"""

from collections.abc import Sequence
from decimal import Decimal

FIX44, FIX42, FIXT11 = "FIX.4.4", "FIX.4.2", "FIXT.1.1"
VERSIONS = (FIX44, FIX44, FIX44, FIX42, FIXT11)
LOGON_FIELDS = {FIXT11: ((1137, "9"),)}

_KINDS = {"1": "H", "2": "G", "3": "I"}
_TRANS_TYPES = {kind: trans for trans, kind in _KINDS.items()}
_MAX_FLOOR, _DISPLAY_QTY = 111, 1138

Pairs = Sequence[tuple[int, str]]


def said(version: str, msg_type: str, fields: Pairs) -> list[tuple[int, str]]:
    """What a party means, as its version has it."""
    if version == FIX42 and msg_type == "8":
        return list(_said_in_42(dict(fields)).items())
    if version == FIXT11 and msg_type in "DG":
        return [(_DISPLAY_QTY if tag == _MAX_FLOOR else tag, value) for tag, value in fields]
    return list(fields)


def _said_in_42(told: dict[int, str]) -> dict[int, str]:
    kind, status = told[150], told[39]
    fields = {tag: value for tag, value in told.items() if tag not in (584, 790, 911)}
    fields[20] = _TRANS_TYPES.get(kind, "0")
    if kind in _TRANS_TYPES:
        fields[150] = status
    elif kind == "F":
        fields[150] = "2" if status == "2" else "1"
    elif kind == "5" and status == "0":
        fields[39] = "5"
    return fields


def heard(version: str, msg_type: str, told: dict[int, str]) -> dict[int, str]:
    """What a party is told, as FIX 4.4 has it."""
    if version != FIX42 or msg_type not in "89":
        return told
    fields = dict(told)
    if msg_type == "8":
        kind = fields[150]
        fields[150] = _KINDS.get(fields.pop(20), "F" if kind in "12" else kind)
    if fields[39] == "5":
        traded = Decimal(fields.get(14, "0"))
        fields[39] = "0" if not traded else "1" if Decimal(fields.get(151, "0")) else "2"
    return fields
