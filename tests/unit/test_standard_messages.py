"""All that leaves, in every FIX version, held against the standard's whole dictionaries."""

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fix_sessions.binding import quickfix
from fix_sessions.encode import encoder_of
from fix_sessions.wire import frame
from oms.domain import effects as fx
from oms.domain.commands import ExecutionReport
from oms.domain.fix import (
    CxlRejReason,
    ExecType,
    OrdRejReason,
    OrdStatus,
    OrdType,
    Side,
    TimeInForce,
)
from tests.support.messages import (
    AT,
    FILLED,
    NOW,
    VERSIONS,
    about_an_order,
    cancel_reject,
    counterparty,
    order,
    read,
    reject,
    report,
    sent,
)

SHARE = Path(sys.prefix) / "share" / "quickfix"


def judged(version: str, msg_type: str, fields: list[tuple[int, str]]) -> None:
    """Raise what QuickFIX raises for a message that the standard does not have like this."""
    head = [(35, msg_type), (34, "2"), (49, "US"), (52, NOW), (56, "THEM")]
    text = frame(version, [*head, *fields]).decode()
    names = {"FIX.4.2": "FIX42", "FIX.4.4": "FIX44", "FIXT.1.1": "FIX50SP2"}
    application = dictionary(names[version])
    if version == "FIXT.1.1":
        session = dictionary("FIXT11")
        application = session if msg_type == "3" else application
        message = quickfix.Message(text, session, application, True)
        quickfix.DataDictionary.validate(message, session, application)
    else:
        application.validate(quickfix.Message(text, application, True))


_LOADED: dict[str, Any] = {}


def dictionary(name: str) -> Any:
    if name not in _LOADED:
        _LOADED[name] = quickfix.DataDictionary(str(SHARE / f"{name}.xml"))
    return _LOADED[name]


OTHERS: list[Any] = [
    order(),
    order(None),
    about_an_order(fx.SendOrderCancelRequest),
    about_an_order(
        fx.SendOrderCancelReplaceRequest,
        account="A-1",
        ord_type=OrdType.LIMIT,
        price=Decimal(11),
        time_in_force=TimeInForce.DAY,
    ),
    fx.SendOrderStatusRequest(
        session="S",
        event_seq=1,
        at=AT,
        order_id="o1",
        cl_ord_id="c1",
        venue_order_id="v1",
        symbol="AAPL",
        side=Side.BUY,
    ),
    fx.SendOrderMassStatusRequest(session="S", event_seq=1, at=AT, mass_status_req_id="m1"),
    fx.SendMarketDataRequest(
        session="S", event_seq=1, at=AT, md_req_id="m", symbols=("AAPL", "MSFT")
    ),
    *(cancel_reject(reason) for reason in CxlRejReason),
    *(reject(code, business=False) for code in ("1", "4", "5", "6", "13", "16")),
    *(reject(code, business=True) for code in "012345"),
]


@pytest.mark.parametrize("version", VERSIONS)
def test_all_that_we_send_is_in_the_standard(version: str) -> None:
    encoded = encoder_of(counterparty(version))
    for effect in OTHERS:
        msg_type, body = encoded(effect)
        if not msg_type:
            assert (version, type(effect)) == ("FIX.4.2", fx.SendOrderMassStatusRequest)
            continue
        pairs = [piece.split("=", 1) for piece in body]
        judged(version, msg_type, [(int(tag), value) for tag, value in pairs if value])


STATES = st.sampled_from(
    [(status, cum, leaves) for status in OrdStatus for cum, leaves in (("0", "100"), ("40", "60"))]
    + [FILLED, (OrdStatus.CANCELED, "40", "0"), (OrdStatus.PENDING_CANCEL, "100", "0")]
).filter(lambda state: state[0] is not OrdStatus.REPLACED)


@settings(deadline=None)
@given(
    version=st.sampled_from(VERSIONS),
    # Triggered came after the FIX 4.4 of these dictionaries.
    exec_type=st.sampled_from([one for one in ExecType if one.value != "L"]),
    state=STATES,
    reason=st.sampled_from(["", *OrdRejReason]),
    price=st.sampled_from([None, Decimal("10.5")]),
)
def test_every_report_is_in_the_standard_and_means_the_same_when_read(
    version: str,
    exec_type: ExecType,
    state: tuple[OrdStatus, str, str],
    reason: str,
    price: Decimal | None,
) -> None:
    effect = report(exec_type, state, ord_rej_reason=reason, price=price, ord_status_req_id="q")
    found = sent(version, effect)
    fields = [(tag, value) for tag, value in found.items() if tag != 35]
    judged(version, "8", fields)
    command = read(version, [(35, "8"), (34, "2"), *fields], venue=True)
    assert isinstance(command, ExecutionReport), command
    assert (command.exec_type, command.cum_qty, command.leaves_qty) == (
        exec_type,
        effect.cum_qty,
        effect.leaves_qty,
    )
    # What Replaced hides in FIX 4.2 comes back as what the figures say.
    replaced_while_new = exec_type is ExecType.REPLACED and state[0] is OrdStatus.NEW
    if not (version == "FIX.4.2" and replaced_while_new):
        assert command.ord_status is effect.ord_status
