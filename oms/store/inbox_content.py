"""What makes two rows of command_inbox the same command: one rule, whoever writes them."""

from dataclasses import replace
from hashlib import sha256

from oms.domain.commands import Command, Origin
from oms.domain.splits import ApplyCorporateAction, PreviewCorporateAction
from oms.store.codec import encode


class KeyTaken(ValueError):
    """The key was used for another content."""

    def __init__(self, command_type: str) -> None:
        super().__init__(f"was used for another {command_type} or with other content")


def content_hash(command: Command) -> bytes:
    """Of what is asked for, whoever of the same counterparty asks, and whenever.

    Two rows with one key are the same command where this is the same.
    """
    origin = Origin(channel=command.origin.channel, counterparty=command.origin.counterparty)
    asked = replace(command, origin=origin)
    if isinstance(asked, PreviewCorporateAction | ApplyCorporateAction):
        # Not what was asked for: the calendar may have been loaded meanwhile.
        asked = replace(asked, sessions=())
    return sha256(type(command).__name__.encode() + b"\0" + encode(asked)).digest()
