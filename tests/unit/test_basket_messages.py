"""Lists of orders on the wire: what is read, and what is told, in every FIX version."""

from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest

from oms.domain.answer_effects import ListedOrder, SendListStatus
from oms.domain.baskets import (
    ListCancelRequest,
    ListExecute,
    ListOrder,
    ListOrderStatus,
    ListStatusRequest,
    ListStatusType,
    NewOrderList,
)
from oms.domain.commands import NewOrderSingle, UnreadableMessage
from oms.domain.fix import ExecInst, ExecType, OrdRejReason, OrdStatus, OrdType, TimeInForce
from oms.domain.profile import WireProfile
from tests.support.baskets import list_fields
from tests.support.messages import AT, NEW, VERSIONS, cancel_reject, read, report, sent
from tests.unit.test_answer_messages import written
from tests.unit.test_standard_messages import judged

HEAD = [(35, "E"), (34, "2")]
ORDER = [(11, "c1"), (1, "A-1"), (21, "1"), (55, "AAPL"), (54, "1"), (60, "20260101-00:00:00")]
LIMIT = [*ORDER, (38, "100"), (40, "2"), (44, "10.5")]
OTHER = [(11, "c2"), *LIMIT[1:]]
WORKING = ListedOrder(
    cl_ord_id="c1",
    ord_status=OrdStatus.PARTIALLY_FILLED,
    cum_qty=Decimal(40),
    leaves_qty=Decimal(60),
    cxl_qty=Decimal(0),
    avg_px=Decimal("10.5"),
)
REJECTED = replace(
    WORKING,
    cl_ord_id="c2",
    ord_status=OrdStatus.REJECTED,
    cum_qty=Decimal(0),
    leaves_qty=Decimal(0),
    avg_px=Decimal(0),
    ord_rej_reason=OrdRejReason.UNKNOWN_ACCOUNT,
    text="not permitted",
)
STATUS = SendListStatus(
    session="S",
    event_seq=1,
    at=AT,
    list_id="L1",
    status_type=ListStatusType.EXEC_STARTED,
    order_status=ListOrderStatus.EXECUTING,
    tot_no_orders=2,
    no_rpts=1,
    rpt_seq=1,
    orders=(WORKING, REJECTED),
    text="",
)


def order_list(version: str, orders: list[list[tuple[int, str]]], **more: str) -> Any:
    return read(version, [*HEAD, *list_fields("L1", orders, **more)])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("status_type", ListStatusType)
@pytest.mark.parametrize("order_status", ListOrderStatus)
def test_a_status_is_in_the_standard(
    version: str, status_type: ListStatusType, order_status: ListOrderStatus
) -> None:
    ended = [replace(WORKING, ord_status=one) for one in OrdStatus if one != "5"]
    refused = [replace(REJECTED, ord_rej_reason=one) for one in OrdRejReason]
    effect = replace(
        STATUS,
        status_type=status_type,
        order_status=order_status,
        orders=(*ended, *refused),
        text="why",
    )
    msg_type, found = written(version, effect)
    assert msg_type == "N"
    judged(version, msg_type, found)


def test_what_stands_in_a_status() -> None:
    _, found = written("FIX.4.4", replace(STATUS, poss_resend=True, no_rpts=3, rpt_seq=2))
    assert [field for field in found if field[0] != 60] == [
        *[(97, "Y"), (66, "L1"), (429, "4"), (82, "3"), (431, "3"), (83, "2"), (68, "2")],
        *[(893, "N"), (73, "2")],
        *[(11, "c1"), (14, "40"), (39, "1"), (151, "60"), (84, "0"), (6, "10.5")],
        *[(11, "c2"), (14, "0"), (39, "8"), (151, "0"), (84, "0"), (6, "0"), (103, "15")],
        (58, "not permitted"),
    ]


def test_fix_42_has_no_last_fragment_and_fewer_reasons() -> None:
    _, found = written("FIX.4.2", STATUS)
    assert not [field for field in found if field[0] == 893]
    assert found[-2:] == [(103, "0"), (58, "not permitted")]


def test_quantities_of_a_status_have_the_decimals_of_the_profile() -> None:
    wire = WireProfile(quantity_decimals=2, price_decimals=3)
    found = sent("FIX.4.4", replace(STATUS, orders=(WORKING,)), wire=wire)
    assert [found[tag] for tag in (14, 151, 84, 6)] == ["40.00", "60.00", "0.00", "10.500"]


def test_reports_on_an_order_of_a_list_name_it() -> None:
    assert sent("FIX.4.4", report(ExecType.NEW, NEW, list_id="L1"))[66] == "L1"
    assert 66 not in sent("FIX.4.4", report(ExecType.NEW, NEW))
    reject = replace(cancel_reject(next(iter(OrdRejReason))), list_id="L1")  # type: ignore[arg-type]
    assert sent("FIX.4.4", reject)[66] == "L1"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_list_is_read_in_every_version(version: str) -> None:
    command = order_list(version, [LIMIT, OTHER], t433="2", t414="3")
    assert isinstance(command, NewOrderList)
    assert (command.list_id, command.bid_type, command.tot_no_orders) == ("L1", "3", 2)
    assert (command.exec_inst_type, command.prog_rpt_reqs) == ("2", "3")
    assert (command.last_fragment, command.contingency_type, command.exec_inst) == (True, "", False)
    assert [one.cl_ord_id for one in command.orders] == ["c1", "c2"]
    assert [one.list_seq_no for one in command.orders] == [1, 2]
    assert command.orders[0].price == Decimal("10.5")


@pytest.mark.parametrize("version", VERSIONS)
def test_an_order_of_a_list_is_read_as_one_by_itself(version: str) -> None:
    special = [*ORDER, (38, "100"), (18, "1 G"), (99, "9"), (58, "text"), (110, "5"), (126, AT_UTC)]
    closing = {"FIX.4.2": [*ORDER, (38, "7"), (40, "5")]}.get(version, LIMIT)
    party = [*LIMIT[:1], *LIMIT[2:], (453, "1"), (448, "A-9"), (447, "D"), (452, "24")]
    kinds = [LIMIT, [*special, (40, "4"), (44, "8"), (59, "6")], closing]
    kinds += [[*ORDER, (152, "1000"), (40, "1")]]
    kinds += [party] if version == "FIXT.1.1" else []
    for order in kinds:
        single = read(version, [(35, "D"), (34, "2"), *order])
        command = order_list(version, [order])
        assert isinstance(single, NewOrderSingle), single
        assert isinstance(command, NewOrderList), command
        [listed] = command.orders
        for field in fields(ListOrder):
            if field.name != "list_seq_no":
                assert getattr(listed, field.name) == getattr(single, field.name), field.name
    if version == "FIXT.1.1":
        assert listed.account == "A-9"


AT_UTC = "20261231-10:00:00"


def test_on_close_orders_of_fix_42_and_pegs_of_fix_50_are_translated_one_by_one() -> None:
    closing = [*OTHER[:6], (38, "7"), (40, "5")]
    command = order_list("FIX.4.2", [LIMIT, closing])
    first, second = command.orders
    assert (first.ord_type, first.time_in_force) == (OrdType.LIMIT, TimeInForce.DAY)
    assert (second.ord_type, second.time_in_force) == (OrdType.MARKET, TimeInForce.CLS)
    pegged = [*OTHER[:6], (38, "7"), (40, "P"), (1094, "2"), (1138, "5")]
    first, second = order_list("FIXT.1.1", [LIMIT, pegged]).orders
    assert first.conditions is None
    assert second.conditions.exec_inst == (ExecInst.MIDPOINT_PEG,)
    assert second.conditions.max_floor == Decimal(5)


def test_fields_of_the_list_may_stand_behind_its_orders() -> None:
    """As the engine gives them: sorted by tag, with the group at NoOrders."""
    sorted_by_tag = [*HEAD, (66, "L1"), (68, "2"), (73, "2")]
    sorted_by_tag += [(11, "c1"), (67, "1"), *LIMIT[1:], (11, "c2"), (67, "2"), *LIMIT[1:]]
    sorted_by_tag += [(394, "3"), (433, "1"), (893, "N"), (1385, "2"), (69, "VWAP")]
    command = read("FIX.4.4", sorted_by_tag)
    assert isinstance(command, NewOrderList)
    assert (command.bid_type, command.exec_inst_type, command.last_fragment) == ("3", "1", False)
    assert (command.contingency_type, command.exec_inst) == ("2", True)
    assert len(command.orders) == 2


def test_groups_within_an_order_do_no_harm() -> None:
    allocated = [*LIMIT, (78, "2"), (79, "X"), (80, "1"), (79, "Y"), (80, "2")]
    assert isinstance(order_list("FIX.4.4", [allocated, OTHER]), NewOrderList)


@pytest.mark.parametrize(
    ("orders", "more", "tag", "reason", "said"),
    [
        ([LIMIT[:3] + LIMIT[4:]], {}, 55, "1", "order 1 of the list: Symbol (55): required"),
        ([LIMIT, ORDER], {}, 38, "1", "order 2 of the list: neither CashOrderQty"),
        ([LIMIT, [*OTHER[:-1], (44, "x")]], {}, 44, "6", "order 2 of the list: Price (44) = x"),
        ([[*LIMIT, (54, "2")]], {}, 54, "13", "order 1 of the list: Side (54) = 2: must appear"),
        ([[*ORDER[:4], (54, "8"), *LIMIT[5:]]], {}, 54, "5", "order 1 of the list: Side (54) = 8"),
        ([LIMIT], {"t394": ""}, 394, "1", "BidType (394): required tag missing"),
        ([LIMIT], {"t66": ""}, 66, "1", "ListID (66): required tag missing"),
        ([LIMIT], {"t68": "x"}, 68, "6", "TotNoOrders (68) = x: must be a whole number"),
        ([LIMIT[1:]], {}, 11, "1", "order 1 of the list: ClOrdID (11): required tag missing"),
        ([], {}, 73, "16", "NoOrders (73) = 0: 0 orders stand in the list"),
    ],
)
def test_what_cannot_be_read_names_its_order(
    orders: list[list[tuple[int, str]]], more: dict[str, str], tag: int, reason: str, said: str
) -> None:
    command = order_list("FIX.4.4", orders, **more)
    assert isinstance(command, UnreadableMessage), command
    assert (command.ref_tag, command.reason_code, command.business) == (tag, reason, False)
    assert command.text.startswith(said), command.text


def test_a_count_that_is_not_that_of_the_orders_is_refused() -> None:
    wrong = [(tag, "3" if tag == 73 else value) for tag, value in list_fields("L1", [LIMIT])]
    command = read("FIX.4.4", [*HEAD, *wrong])
    assert isinstance(command, UnreadableMessage)
    assert (command.ref_tag, command.reason_code) == (73, "16")


@pytest.mark.parametrize("version", VERSIONS)
def test_requests_about_a_list(version: str) -> None:
    at = (60, "20260101-00:00:00")
    named = [(34, "2"), (66, "L1")]
    for msg_type, kind in (("K", ListCancelRequest), ("L", ListExecute), ("M", ListStatusRequest)):
        command = read(version, [(35, msg_type), *named, at])
        assert isinstance(command, kind)
        assert command.list_id == "L1"
        bare = read(version, [(35, msg_type), *named])
        assert isinstance(bare, kind if msg_type == "M" else UnreadableMessage)
