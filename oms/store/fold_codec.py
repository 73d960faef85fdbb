"""Journal entries as the fold needs them: of a command only what it looks at.

A command's bytes are mostly the FIX text and the fields that were decided on, and the fold asks for
neither (`oms.fold.fold_command`). To leave them out takes a quarter off a recovery.
"""

from typing import Final, cast

import msgspec

from oms.domain.commands import Command, ExecutionReport, MessagesSent, StreamMark
from oms.domain.events import Event
from oms.store.codec import COMMAND_TYPES, decode


class _Stream(msgspec.Struct, gc=False):
    """Of an Origin."""

    counterparty: str
    session: str = ""
    epoch: int = 0
    msg_seq_num: int = 0


class _Sent(msgspec.Struct, gc=False):
    """Of a SentMessage."""

    session: str
    epoch: int
    msg_seq_num: int
    event_seq: int
    at: int = 0


class _Any(msgspec.Struct, gc=False):
    """Of any command."""

    origin: _Stream


class _Report(_Any, gc=False):
    """Of an ExecutionReport: which question it answers."""

    cl_ord_id: str
    order_id: str
    mass_status_req_id: str = ""


class _Note(_Any, gc=False):
    """Of MessagesSent."""

    messages: tuple[_Sent, ...]
    observed: tuple[StreamMark, ...] = ()
    numbered: tuple[StreamMark, ...] = ()
    kept: tuple[_Sent, ...] = ()


_SHAPES: Final[dict[type, type[_Any]]] = {ExecutionReport: _Report, MessagesSent: _Note}
_DECODERS: Final = {
    name: (cls, shape.__struct_fields__, msgspec.json.Decoder(shape))
    for name, cls in COMMAND_TYPES.items()
    for shape in (_SHAPES.get(cls, _Any),)
}


def decode_for_fold(type_name: str, payload: bytes) -> Command | Event:
    """An event as `decode` makes it; a command that has only what the fold looks at.

    What is not there cannot be asked for (AttributeError). Raises as `decode` does.
    """
    known = _DECODERS.get(type_name)
    if known is None:
        return decode(type_name, payload)
    cls, names, decoder = known
    try:
        told = decoder.decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return decode(type_name, payload)
    command = cls.__new__(cls)
    for name in names:
        setattr(command, name, getattr(told, name))
    return cast("Command", command)
