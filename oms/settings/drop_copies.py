"""[[drop_copies]]: sessions that tell of a venue's trades besides the order session."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from oms.settings.schedule import ScheduleSettings
from oms.settings.tls import VenueTlsSettings
from oms.settings.values import (
    CompId,
    Credential,
    Host,
    Name,
    Place,
    Port,
    SecretCredential,
    Section,
    Whole,
    with_secret,
)


class DropCopySettings(Section):
    """One session, to which we connect; sender_comp_id is ours, target_comp_id theirs.

    venue: whose trades it tells. match_window_ms: how far apart the TransactTimes of one trade may
    be that both sessions tell, where nothing names it. reset_on_logon: our Logon resets the
    sequence numbers (141=Y). schedule: when its session is open; absent: always. tls: as a venue's.
    """

    name: Name
    venue: Name
    host: Host
    port: Port
    sender_comp_id: CompId
    target_comp_id: CompId
    begin_string: Literal["FIX.4.2", "FIX.4.4", "FIXT.1.1"] = "FIX.4.4"
    username: Credential = ""
    password: SecretCredential | None = None
    password_file: Place | None = None
    heart_bt_int_s: Annotated[Whole, Field(ge=1, le=3_600)] = 30
    match_window_ms: Annotated[Whole, Field(ge=0, le=3_600_000)] = 1_000
    reset_on_logon: bool = False
    schedule: ScheduleSettings | None = None
    tls: VenueTlsSettings | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_file(cls, data: Any) -> Any:
        return with_secret(data, "password")
