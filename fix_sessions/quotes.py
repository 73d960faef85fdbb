"""Top of book of one venue session from its snapshots (W) and incremental refreshes (X)."""

from collections.abc import Iterator
from dataclasses import replace

from fix_sessions.fields import Fields, Refusal
from oms.domain.commands import MessageRejectedByPeer, Origin, Quote, QuoteObserved
from oms.domain.fix import MsgType, SessionRejectReason
from oms.domain.values import ZERO, ValueRefused, parse_decimal

_BID, _OFFER = "0", "1"
_DELETE = "2"
_ENTRY_START = {
    MsgType.MARKET_DATA_SNAPSHOT.value: 269,
    MsgType.MARKET_DATA_INCREMENTAL_REFRESH.value: 279,
}


class TopOfBook:
    """The last quote of each symbol, which incremental refreshes change."""

    def __init__(self) -> None:
        self._quotes: dict[str, Quote] = {}

    def read(
        self, msg_type: str, fields: Fields, origin: Origin
    ) -> Iterator[QuoteObserved | MessageRejectedByPeer]:
        """The quotes that a message changes, each once. Raises Refusal for a broken entry."""
        if msg_type == MsgType.MARKET_DATA_REQUEST_REJECT:
            yield MessageRejectedByPeer(
                origin=origin,
                ref_seq_num=0,
                ref_msg_type=MsgType.MARKET_DATA_REQUEST,
                ref_id=fields.optional_text(262),
                text=fields.optional_text(58, limit=1_000),
            )
            return
        symbol = fields.optional_text(55)
        changed: dict[str, Quote] = {}
        if msg_type == MsgType.MARKET_DATA_SNAPSHOT:
            changed[fields.text(55)] = Quote()
        for entry in _entries(fields, _ENTRY_START[msg_type]):
            named = entry.get(55, symbol)
            if not named:
                raise Refusal(
                    reason_code=SessionRejectReason.REQUIRED_TAG_MISSING,
                    tag=55,
                    text="Symbol (55): required tag missing",
                )
            before = changed.get(named) or self._quotes.get(named, Quote())
            changed[named] = _changed(before, entry)
        self._quotes.update(changed)
        for one, quote in changed.items():
            yield QuoteObserved(origin=origin, symbol=one, quote=quote)


def _entries(fields: Fields, start: int) -> list[dict[int, str]]:
    """The repeating group NoMDEntries (268), each entry beginning with its first tag."""
    entries: list[dict[int, str]] = []
    inside = False
    for tag, value in fields.ordered:
        if tag == 268:
            inside = True
        elif inside and tag == start:
            entries.append({tag: value})
        elif inside and entries:
            entries[-1][tag] = value
    if len(entries) != fields.integer(268):
        raise Refusal(
            reason_code=SessionRejectReason.INCORRECT_NUM_IN_GROUP_COUNT,
            tag=268,
            text=f"NoMDEntries (268) = {fields.by_tag.get(268)}: {len(entries)} entries follow",
        )
    return entries


def _changed(quote: Quote, entry: dict[int, str]) -> Quote:
    side = entry.get(269)
    try:
        gone = entry.get(279) == _DELETE
        level = parse_decimal(entry.get(270, "" if not gone else "0"))
        if gone and level not in (ZERO, quote.bid if side == _BID else quote.ask):
            return quote  # a level that was not the best one
        price = None if gone else level
        size = parse_decimal("0" if gone else entry.get(271, "0"))
    except ValueRefused as error:
        raise Refusal(
            reason_code=SessionRejectReason.INCORRECT_DATA_FORMAT,
            tag=270,
            text=f"MDEntryPx (270) or MDEntrySize (271): {error}",
        ) from None
    if side == _BID:
        return replace(quote, bid=price, bid_size=size)
    if side == _OFFER:
        return replace(quote, ask=price, ask_size=size)
    return quote
