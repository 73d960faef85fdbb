"""Commands and events as bytes and back: what the journal chains and the inbox carries.

The encoding is canonical JSON in UTF-8: every field in the order of its class, no spaces, Decimal
as its exact text, enumerations as wire values. The type's name is kept beside it. Decoders are
built once from the classes' type hints, so a new command or event needs nothing here; a hint that
has no decoder fails at import.

A journal outlives the program that wrote it: a field may be added with a default, never renamed,
removed or given another type.
"""

from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Final, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from oms.domain.commands import Command
from oms.domain.events import Event

Decoder = Callable[[Any], Any]

_ENCODER: Final = msgspec.json.Encoder(decimal_format="string")


class CodecError(Exception):
    """Bytes that are no command or event of ours, or an object that cannot be written exactly."""


def encode(entry: Command | Event) -> bytes:
    """The canonical bytes of a command or event.

    Raises CodecError for a text with a lone surrogate, which no UTF-8 can carry.
    """
    try:
        return _ENCODER.encode(entry)
    except (TypeError, ValueError) as error:
        raise CodecError(f"{type(entry).__name__}: {error}") from error


def decode(type_name: str, payload: bytes) -> Command | Event:
    """The command or event of that type; exactly what encode was given.

    Raises CodecError, naming type and field, for anything else.
    """
    decoder = _DECODERS.get(type_name)
    if decoder is None:
        raise CodecError(f"{type_name}: no command or event of this name")
    found = _quickly_decoded(type_name, payload)
    if found is not None:
        return found
    try:
        return cast("Command | Event", decoder(msgspec.json.decode(payload)))
    except (CodecError, ValueError, RecursionError) as error:
        raise CodecError(f"{type_name}: {error}") from error


def pack(command: Command) -> tuple[int, bytes]:
    """A command for another process of this program: its type's number, its canonical bytes.

    Raises as `encode` does.
    """
    return _NUMBERS[type(command)], encode(command)


def unpack(number: int, payload: bytes) -> Command:
    """What `pack` was given; not for bytes of another origin."""
    return _UNPACKERS[number](payload)


def _quickly_decoded(type_name: str, payload: bytes) -> Command | Event | None:
    """What the payload is the encoding of, by a decoder that forgives; None where it had to.

    That takes less than half of the time, which is recovery's. What an older program wrote, without
    fields that came later, is left to the exact decoder too.
    """
    try:
        found = cast("Command | Event", _QUICK_DECODERS[type_name].decode(payload))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return found if _ENCODER.encode(found) == payload else None


def _decoder_of(hint: Any) -> Decoder:
    if hint in (str, int, bool):
        return _plain_decoder(hint)
    if hint is Decimal:
        return _decimal
    if get_origin(hint) in (Union, UnionType):
        return _optional_decoder(hint)
    if get_origin(hint) is tuple:
        return _tuple_decoder(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enum_decoder(hint)
    if is_dataclass(hint):
        return _record_decoder(cast("type", hint))
    raise TypeError(f"the codec has no case for {hint}")


def _plain_decoder(wanted: type) -> Decoder:
    def plain(value: Any) -> Any:
        if type(value) is not wanted:
            raise CodecError(f"{value!r:.60} must be {wanted.__name__}")
        return value

    return plain


def _decimal(value: Any) -> Decimal:
    try:
        if type(value) is str:
            return Decimal(value)
    except InvalidOperation:
        pass
    raise CodecError(f"{value!r:.60} must be the text of a decimal number")


def _optional_decoder(hint: Any) -> Decoder:
    wanted = [one for one in get_args(hint) if one is not NoneType]
    if len(wanted) != 1 or len(get_args(hint)) != 2:
        raise TypeError(f"the codec has no case for {hint}")
    decoder = _decoder_of(wanted[0])
    return lambda value: None if value is None else decoder(value)


def _tuple_decoder(hint: Any) -> Decoder:
    element, *rest = get_args(hint)
    if rest != [Ellipsis]:
        raise TypeError(f"the codec has no case for {hint}")
    decoder = _decoder_of(element)

    def sequence(value: Any) -> Any:
        if type(value) is not list:
            raise CodecError(f"{value!r:.60} must be a list")
        return tuple([decoder(one) for one in value])

    return sequence


def _enum_decoder(wanted: type[Enum]) -> Decoder:
    members = {member.value: member for member in wanted}

    def member(value: Any) -> Any:
        found = members.get(value) if type(value) is str else None
        if found is None:
            raise CodecError(f"{value!r:.60} is no {wanted.__name__}")
        return found

    return member


def _record_decoder(wanted: type) -> Decoder:
    hints = get_type_hints(wanted)
    decoders = {one.name: _decoder_of(hints[one.name]) for one in fields(wanted)}
    required = {
        one.name
        for one in fields(wanted)
        if one.default is MISSING and one.default_factory is MISSING
    }

    def record(value: Any) -> Any:
        if type(value) is not dict:
            raise CodecError(f"{value!r:.60} must be an object")
        if not required <= value.keys():
            raise CodecError(f"{min(required - value.keys())} is missing")
        try:
            for name, content in value.items():
                value[name] = decoders[name](content)
        except KeyError:
            raise CodecError(f"{name} is no field of {wanted.__name__}") from None
        except CodecError as error:
            raise CodecError(f"{name}: {error}") from None
        return wanted(**value)

    return record


COMMAND_TYPES: Final = {one.__name__: one for one in get_args(Command)}
EVENT_TYPES: Final = {one.__name__: one for one in get_args(Event)}
assert not COMMAND_TYPES.keys() & EVENT_TYPES.keys(), "a name tells one type"

_DECODERS: Final[dict[str, Decoder]] = {
    name: _decoder_of(one) for name, one in (COMMAND_TYPES | EVENT_TYPES).items()
}
_QUICK_DECODERS: Final = {
    name: msgspec.json.Decoder(one) for name, one in (COMMAND_TYPES | EVENT_TYPES).items()
}
_NUMBERS: Final = {one: number for number, one in enumerate(COMMAND_TYPES.values())}
_UNPACKERS: Final = [
    cast("Callable[[bytes], Command]", _QUICK_DECODERS[name].decode) for name in COMMAND_TYPES
]
