"""A timeline for people: names for FIX values, UTC for stamps."""

from oms.app.timeline_text import lines_of
from oms.audit.timeline import EntryKind, TimelineEntry


def test_enumerations_have_names_and_stamps_are_utc() -> None:
    detail: dict[str, object] = {
        "side": "1",
        "ord_type": "2",
        "time_in_force": "0",
        "transact_time": 1_500_000,
    }
    detail |= {"conditions": {"stop_px": "9.5", "expire_time": 0, "exec_inst": ["1", "G"]}}
    entry = TimelineEntry(
        seq=1,
        at=0,
        kind=EntryKind.EVENT,
        type="OrderAccepted",
        order_id="O1",
        who="core",
        session="",
        msg_seq_num=None,
        detail={"ord_status": "0", "terms": detail},
        text="",
    )
    line = list(lines_of([entry]))[2]
    assert "ord_status=NEW side=BUY ord_type=LIMIT time_in_force=DAY" in line
    assert "transact_time=1970-01-01 00:00:01.500000Z" in line
    assert line.endswith("stop_px=9.5 exec_inst=NOT_HELD,ALL_OR_NONE")
