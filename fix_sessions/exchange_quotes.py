"""The venue's market data sessions: MarketDataRequest in, snapshots, refreshes and refusals out."""

from collections.abc import Iterable
from dataclasses import dataclass

from ems.simulator.quotes import Entry, MDEntryType, MDUpdateAction, Update, View
from ems.simulator.venue import Venue
from fix_sessions.exchange_codec import Body, Fields
from oms.domain.fix import MsgType
from oms.domain.values import decimal_text

_SNAPSHOT, _SUBSCRIBE, _UNSUBSCRIBE = "0", "1", "2"
_FULL_REFRESH = "0"
# MDReqRejReason (281)
_UNKNOWN_SYMBOL, _DUPLICATE_ID, _BAD_REQUEST_TYPE, _BAD_ENTRY_TYPE = "0148"

Out = tuple[str, Fields]  # MsgType and fields


@dataclass(slots=True, kw_only=True, eq=False)
class _Subscription:
    request_id: str
    full_refresh: bool
    views: list[View]


class Quotes:
    """Who is subscribed to what. Subscriptions end with their session's connection."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._by_session: dict[str, dict[str, _Subscription]] = {}

    def request(self, session_id: str, body: Body) -> list[Out]:
        """Answer a MarketDataRequest (V); raises MessageRefused where a field is missing."""
        request_id = body.text(262, "MDReqID")
        kind = body.text(263, "SubscriptionRequestType")
        mine = self._by_session.setdefault(session_id, {})
        if kind == _UNSUBSCRIBE:
            mine.pop(request_id, None)
            return []
        depth = body.integer(264, "MarketDepth")
        symbols, types = body.every(55), frozenset(body.every(269))
        refusal = self._refusal(mine, request_id, kind, symbols, types)
        if refusal is not None:
            reason, text = refusal
            fields = [(262, request_id), (281, reason), (58, text)]
            return [(MsgType.MARKET_DATA_REQUEST_REJECT, fields)]
        views = [View(symbol=symbol, depth=depth, entry_types=types) for symbol in symbols]
        if kind == _SUBSCRIBE:
            mine[request_id] = _Subscription(
                request_id=request_id, full_refresh=body.get(265) == _FULL_REFRESH, views=views
            )
        return [self._snapshot(request_id, view) for view in views]

    def drop(self, session_id: str) -> None:
        """The session's connection ended."""
        self._by_session.pop(session_id, None)

    def publish(self, touched: set[str]) -> list[tuple[str, Out]]:
        """What every subscriber has to be told, now that these symbols' books changed."""
        found: list[tuple[str, Out]] = []
        for session_id, mine in self._by_session.items():
            for subscription in mine.values():
                found.extend((session_id, out) for out in self._news(subscription, touched))
        return found

    def _refusal(
        self,
        mine: dict[str, _Subscription],
        request_id: str,
        kind: str,
        symbols: list[str],
        types: Iterable[str],
    ) -> tuple[str, str] | None:
        if kind not in {_SNAPSHOT, _SUBSCRIBE}:
            return _BAD_REQUEST_TYPE, f"SubscriptionRequestType (263) {kind}: must be 0, 1 or 2"
        if request_id in mine:
            return _DUPLICATE_ID, f"MDReqID (262) {request_id}: in use"
        for entry_type in types:
            if entry_type not in frozenset(MDEntryType):
                return _BAD_ENTRY_TYPE, f"MDEntryType (269) {entry_type}: must be 0, 1 or 2"
        if not types:
            return _BAD_ENTRY_TYPE, "MDEntryType (269): missing"
        if not symbols:
            return _UNKNOWN_SYMBOL, "Symbol (55): missing"
        for symbol in symbols:
            if symbol not in self._venue.books:
                return _UNKNOWN_SYMBOL, f"Symbol (55) {symbol}: not listed here"
        return None

    def _snapshot(self, request_id: str, view: View) -> Out:
        symbol = view.symbol
        entries = view.snapshot(self._venue.books[symbol], self._venue.last_trade(symbol))
        fields: Fields = [(262, request_id), (55, symbol), (268, str(len(entries)))]
        for entry in entries:
            fields += _entry(entry)
        return MsgType.MARKET_DATA_SNAPSHOT, fields

    def _news(self, subscription: _Subscription, touched: set[str]) -> list[Out]:
        changes: list[tuple[str, Update]] = []
        snapshots: list[Out] = []
        for view in subscription.views:
            if view.symbol not in touched:
                continue
            book = self._venue.books[view.symbol]
            updates = view.updates(book, self._venue.last_trade(view.symbol))
            if updates and subscription.full_refresh:
                snapshots.append(self._snapshot(subscription.request_id, view))
            else:
                changes.extend((view.symbol, update) for update in updates)
        if changes:
            snapshots.append(_refresh(subscription.request_id, changes))
        return snapshots


def _refresh(request_id: str, changes: list[tuple[str, Update]]) -> Out:
    fields: Fields = [(262, request_id), (268, str(len(changes)))]
    for symbol, update in changes:
        entry = update.entry
        fields += [
            (279, update.action),
            (269, entry.entry_type),
            (55, symbol),
            (270, decimal_text(entry.price)),
        ]
        if update.action is not MDUpdateAction.DELETE:
            fields.append((271, decimal_text(entry.size)))
    return MsgType.MARKET_DATA_INCREMENTAL_REFRESH, fields


def _entry(entry: Entry) -> Fields:
    return [
        (269, entry.entry_type),
        (270, decimal_text(entry.price)),
        (271, decimal_text(entry.size)),
    ]
