"""What makes another order of it and is not done is refused by name; what informs is not."""

import pytest

from oms.domain.commands import NewOrderSingle
from tests.unit.test_decode import ORDER, answer, read

REPLACE = {35: "G", 34: "8", 11: "c2", 41: "c1", 55: "AAPL", 54: "1", 38: "50", 40: "2", 44: "10"}


@pytest.mark.parametrize("message", [ORDER, REPLACE], ids=["order", "replace"])
@pytest.mark.parametrize(
    ("tag", "value", "text"),
    [
        (100, "XNYS", "ExDestination (100) = XNYS: must be absent, as it is not done here"),
        (
            168,
            "20261122-15:00:00",
            "EffectiveTime (168) = 20261122-15:00:00: must be absent, as it is not done here",
        ),
        (210, "10", "MaxShow (210) = 10: must be absent, as it is not done here"),
        (1138, "10", "DisplayQty (1138) = 10: must be absent, as it is not done here"),
        (388, "0", "DiscretionInst (388) = 0: must be absent, as it is not done here"),
        (389, "0.05", "DiscretionOffsetValue (389) = 0.05: must be 0 or absent, as it is not done"),
        (423, "1", "PriceType (423) = 1: must be 2 or absent, as it is not done here"),
        (836, "1", "PegOffsetType (836) = 1: must be 0 or absent, as it is not done here"),
        (854, "1", "QtyType (854) = 1: must be 0 or absent, as it is not done here"),
        (202, "250", "StrikePrice (202) = 250: must be absent, as it is not done here"),
    ],
)
def test_what_makes_another_order_of_it(
    message: dict[int, str], tag: int, value: str, text: str
) -> None:
    kind, code, ref_tag, told = answer(read(message | {tag: value}))
    assert (kind, code, ref_tag) == ("3", "5", tag)
    assert told.startswith(text)


def test_what_asks_for_what_is_done_anyway_and_what_informs() -> None:
    neutral = {423: "2", 836: "0", 854: "0", 389: "0", 555: "0"}
    informs = {21: "1", 528: "A", 526: "second name", 583: "link", 63: "0"}
    command = read(ORDER | neutral | informs)
    assert isinstance(command, NewOrderSingle)
    assert command.cl_ord_id == "c1"
