"""Who is behind each FIX session: what decode and encode need to know of the counterparty."""

from dataclasses import dataclass
from typing import Literal

from oms.domain.profile import USUAL_WIRE, WireProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterparty:
    """Who is behind one session; session_id is the session's short name everywhere. role: what may
    come and go, see `fix_sessions.drop_copy` for that one.

    begin_string: the FIX version, see `fix_sessions.dialects`.
    """

    session_id: str
    name: str
    role: Literal["client", "venue", "drop_copy"]
    begin_string: str = "FIX.4.4"
    wire: WireProfile = USUAL_WIRE
