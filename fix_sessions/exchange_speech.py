"""A simulated venue in another FIX version: it thinks in FIX 4.4, as the server does."""

from fix_sessions.dialects import dialect_of
from fix_sessions.exchange_codec import Body, Fields, MessageRefused
from fix_sessions.fields import Refusal, named
from fix_sessions.wire import fields_of
from oms.domain.fix import BusinessRejectReason


class Speech:
    """How the sessions of one BeginString (8) are read and written."""

    def __init__(self, begin_string: str) -> None:
        self._dialect = dialect_of(begin_string)

    def read(self, text: str) -> Body:
        """A message's fields as FIX 4.4 has them; those that came, where `fault_of` finds fault."""
        body = Body(fields_of(text))
        msg_type = body.get(35)
        if self._dialect is None or msg_type not in self._dialect.read or self.fault_of(body):
            return body
        try:
            return Body(self._dialect.read[msg_type](fields_of(text)))
        except Refusal:
            return body

    def fault_of(self, body: Body) -> MessageRefused | None:
        """Why the version does not allow this message."""
        if self._dialect is None:
            return None
        msg_type = body.get(35)
        if msg_type in self._dialect.absent:
            text = f"MsgType (35) {msg_type}: this FIX version has none"
            return MessageRefused(text, BusinessRejectReason.UNSUPPORTED_MESSAGE_TYPE)
        for tag in self._dialect.required.get(msg_type, ()):
            if not body.get(tag):
                reason = BusinessRejectReason.CONDITIONALLY_REQUIRED_FIELD_MISSING
                return MessageRefused(f"{named(tag)}: missing", reason)
        return None

    def write(self, msg_type: str, fields: Fields) -> Fields:
        """FIX 4.4's fields as the version has them."""
        if self._dialect is None or msg_type not in self._dialect.write:
            return fields
        return self._dialect.write[msg_type](fields)
