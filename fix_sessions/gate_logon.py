"""The first frame of a connection: collected, judged and rewritten, before anything trusts it.

Stricter than an engine: one reading of the bytes only. A tag with leading zeros, a repeated field
that decides something, or a framing error would let the gate and the engine see different Logons.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from fix_sessions.gate_events import RefusalReason
from fix_sessions.wire import ENCODING, WireError, checksum, fields_of, frame

BODY_LENGTH, BEGIN_STRING, CHECK_SUM = 9, 8, 10
MSG_TYPE, SENDER_COMP_ID, TARGET_COMP_ID, TEXT = 35, 49, 56, 58
RAW_DATA_LENGTH, RAW_DATA = 95, 96
HEART_BT_INT, RESET_SEQ_NUM_FLAG, USERNAME, PASSWORD = 108, 141, 553, 554
NEW_PASSWORD_TAGS: Final = frozenset({925, 1402, 1404})
LOGON, LOGOUT = "A", "5"

_PREFIX: Final = b"8=FIX"
_HEAD: Final = re.compile(rb"8=(FIXT?\.[0-9]\.[0-9])\x019=([0-9]{1,6})\x01")
_TRAILER: Final = re.compile(rb"10=([0-9]{3})\x01")
_TRAILER_BYTES: Final = 7
_LONGEST_HEAD: Final = len("8=FIXT.1.1|9=999999|")
_HEADER_TAGS: Final = 3  # 8, 9 and 35 come first, in this order
_MAX_HEART_BT_INT: Final = 86_400
_SINGLE_TAGS: Final = (MSG_TYPE, SENDER_COMP_ID, TARGET_COMP_ID, 34, 52, 98, HEART_BT_INT)
_SINGLE_TAGS_OPTIONAL: Final = (RESET_SEQ_NUM_FLAG, USERNAME, PASSWORD, 43, 95, 96, 789)


class LogonFaultError(Exception):
    """The first frame cannot be let through; `detail` is for our log, never for the sender."""

    def __init__(self, reason: RefusalReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class LogonFrame:
    """A sound Logon, not authenticated yet."""

    begin_string: str
    sender_comp_id: str
    target_comp_id: str
    username: str
    password: str = field(repr=False)
    wants_reset: bool
    changes_password: bool
    heart_bt_int: int
    fields: tuple[tuple[int, str], ...] = field(repr=False)  # without 8, 9 and 10, in their order


def first_frame(data: bytes, max_bytes: int) -> bytes | None:
    """The first frame that `data` starts with, or None while it is not complete.

    Raises LogonFaultError as soon as no further byte could make it a sound frame of `max_bytes`.
    """
    if not data.startswith(_PREFIX[: len(data)]):
        raise LogonFaultError(RefusalReason.GARBLED, f"starts with {data[:16]!r}, not FIX")
    head = _HEAD.match(data)
    if head is None:
        if len(data) >= _LONGEST_HEAD:
            raise LogonFaultError(RefusalReason.GARBLED, "no BeginString and BodyLength at first")
        return None
    body_end = head.end() + int(head[2])
    if body_end + _TRAILER_BYTES > max_bytes:
        detail = f"BodyLength {head[2].decode()} is above the bound of {max_bytes} bytes a Logon"
        raise LogonFaultError(RefusalReason.LOGON_TOO_LARGE, detail)
    if len(data) < body_end + _TRAILER_BYTES:
        return None
    trailer = _TRAILER.match(data, body_end)
    if trailer is None or data[body_end - 1] != 1:
        raise LogonFaultError(RefusalReason.GARBLED, f"BodyLength {head[2].decode()} is wrong")
    expected = checksum(data[:body_end])
    if int(trailer[1]) != expected:
        detail = f"CheckSum {trailer[1].decode()} is wrong: the sum is {expected:03d}"
        raise LogonFaultError(RefusalReason.GARBLED, detail)
    return data[: trailer.end()]


def read_logon(raw: bytes) -> LogonFrame:
    """What a sound frame says as a Logon. Raises LogonFaultError where it is none."""
    try:
        found = fields_of(raw.decode(ENCODING))
    except WireError:
        # The piece is not quoted: it may be a part of the password.
        detail = "a field is not tag=value"
        raise LogonFaultError(RefusalReason.GARBLED, detail) from None
    tags = [tag for tag, _ in found]
    if tags[:_HEADER_TAGS] != [BEGIN_STRING, BODY_LENGTH, MSG_TYPE]:
        raise LogonFaultError(RefusalReason.GARBLED, "MsgType (35) is not the third field")
    if found[_HEADER_TAGS - 1][1] != LOGON:
        raise LogonFaultError(RefusalReason.NOT_A_LOGON, f"MsgType {found[2][1][:8]!r} came first")
    _check_fields(found)
    found = _with_password(found)
    values = dict(found)
    return LogonFrame(
        begin_string=values[BEGIN_STRING],
        sender_comp_id=values[SENDER_COMP_ID],
        target_comp_id=values[TARGET_COMP_ID],
        username=values.get(USERNAME, ""),
        password=values.get(PASSWORD, ""),
        wants_reset=_reset_flag(values),
        changes_password=not NEW_PASSWORD_TAGS.isdisjoint(values),
        heart_bt_int=_heart_bt_int(values[HEART_BT_INT]),
        fields=tuple(found[2:-1]),
    )


def _check_fields(found: Sequence[tuple[int, str]]) -> None:
    tags = [tag for tag, _ in found]
    for tag in (*_SINGLE_TAGS, *_SINGLE_TAGS_OPTIONAL, BEGIN_STRING, BODY_LENGTH, CHECK_SUM):
        if tags.count(tag) > 1:
            raise LogonFaultError(RefusalReason.GARBLED, f"tag {tag} stands more than once")
    for tag in _SINGLE_TAGS:
        if tag not in tags:
            raise LogonFaultError(RefusalReason.GARBLED, f"required tag {tag} is missing")
    for tag, value in found:
        if not value:
            raise LogonFaultError(RefusalReason.GARBLED, f"tag {tag} has no value")


def _with_password(found: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """FIX 4.2 has no Username and Password: SenderCompID and RawData (96) are taken for them."""
    values = dict(found)
    older = values[BEGIN_STRING] == "FIX.4.2" and RAW_DATA in values
    if not older or USERNAME in values or PASSWORD in values:
        return found
    kept = [field for field in found[:-1] if field[0] not in {RAW_DATA_LENGTH, RAW_DATA}]
    named = (USERNAME, values[SENDER_COMP_ID])
    return [*kept, named, (PASSWORD, values[RAW_DATA]), found[-1]]


def _reset_flag(values: dict[int, str]) -> bool:
    text = values.get(RESET_SEQ_NUM_FLAG, "N")
    if text not in {"Y", "N"}:
        raise LogonFaultError(RefusalReason.GARBLED, f"tag 141 is {text[:8]!r}, neither Y nor N")
    return text == "Y"


def _heart_bt_int(text: str) -> int:
    digits = text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_HEART_BT_INT))
    if not digits or int(text) > _MAX_HEART_BT_INT:
        detail = f"tag 108 is {text[:16]!r}, not seconds from 0 to {_MAX_HEART_BT_INT}"
        raise LogonFaultError(RefusalReason.GARBLED, detail)
    return int(text)


def admitted_frame(logon: LogonFrame, ticket: str) -> bytes:
    """The same Logon for the engine, with the ticket where the password was."""
    pairs = [(tag, ticket if tag == PASSWORD else value) for tag, value in logon.fields]
    return frame(logon.begin_string, pairs)


def refused_frame(logon: LogonFrame) -> bytes:
    """The same Logon with no secret, no ticket and no reset: one that the engine must refuse.

    The Logout that the engine answers takes its number from the session's own sequence. A Logout
    made up by the gate would make the client expect one number more than the engine will send,
    and the client's next sound Logon would fail on a MsgSeqNum that is too low.
    """
    kept = [
        (tag, value)
        for tag, value in logon.fields
        if tag not in {RESET_SEQ_NUM_FLAG, PASSWORD} and tag not in NEW_PASSWORD_TAGS
    ]
    return frame(logon.begin_string, kept)


def logout_with_text(raw: bytes, text: str) -> bytes | None:
    """The engine's Logout with our Text (58); None where the frame is anything but a Logout."""
    try:
        found = fields_of(raw.decode(ENCODING))
    except WireError:
        return None
    if len(found) <= _HEADER_TAGS or found[_HEADER_TAGS - 1] != (MSG_TYPE, LOGOUT):
        return None
    kept = [(tag, value) for tag, value in found[2:-1] if tag != TEXT]
    return frame(found[0][1], [*kept, (TEXT, text)])
