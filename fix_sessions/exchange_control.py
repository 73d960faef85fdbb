"""The client of a venue's control socket: faults, operator actions and questions, while it runs."""

import json
import socket
from decimal import Decimal
from types import TracebackType
from typing import Any, Self


class ControlRefused(RuntimeError):
    """The venue could not do it; the text is the venue's."""


class ExchangeControl:
    """One connection to a venue's control port. Calls answer once the venue has acted.

    Faults with a count run down by themselves; the others stay until they are set to 0.
    """

    def __init__(self, port: int, host: str = "127.0.0.1", timeout_s: float = 10.0) -> None:
        self._socket = socket.create_connection((host, port), timeout=timeout_s)
        self._lines = self._socket.makefile("rb")

    def call(self, action: str, **arguments: object) -> dict[str, Any]:
        """Any action by name. Raises ControlRefused, or ConnectionError when the venue is gone."""
        request = {"do": action} | {k: v for k, v in arguments.items() if v is not None}
        self._socket.sendall(json.dumps(request, default=str).encode() + b"\n")
        line = self._lines.readline()
        if not line.endswith(b"\n"):
            raise ConnectionError("the venue closed the control connection")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise ControlRefused(answer["error"])
        return answer

    # Faults

    def set(self, name: str, value: int) -> None:
        """Set any switch of ems.simulator.faults.Faults."""
        self.call("set", name=name, value=value)

    def faults(self) -> dict[str, int]:
        """Every switch as it stands, counts as far as they have run down."""
        found: dict[str, int] = self.call("faults")["faults"]
        return found

    def reject_next(self, count: int) -> None:
        self.set("reject_next", count)

    def reject_cancels_next(self, count: int) -> None:
        self.set("reject_cancels_next", count)

    def drop_acks_next(self, count: int) -> None:
        self.set("drop_acks_next", count)

    def drop_fills_next(self, count: int) -> None:
        self.set("drop_fills_next", count)

    def duplicate_next(self, count: int) -> None:
        self.set("duplicate_next", count)

    def delay(self, ms: int) -> None:
        self.set("delay_ms", ms)

    def fill_late_next(self, count: int, ms: int) -> None:
        self.set("fill_late_ms", ms)
        self.set("fill_late_next", count)

    def ignore_cancels(self, *, on: bool) -> None:
        self.set("ignore_cancels", int(on))

    def ignore_replaces(self, *, on: bool) -> None:
        self.set("ignore_replaces", int(on))

    def silent(self, *, on: bool) -> None:
        """No answers and no market data; what was held back leaves when it is off again."""
        self.set("silent", int(on))

    # Actions

    def disconnect(self, session: str | None = None) -> None:
        """Cut the connection of one counterparty, or of all, without a Logout."""
        self.call("disconnect", session=session)

    def bust(self, exec_id: str | None = None) -> str:
        """Bust a trade, or the last one; the ExecID that it first had."""
        return str(self.call("bust", exec_id=exec_id)["id"])

    def correct(
        self,
        exec_id: str | None = None,
        *,
        last_qty: Decimal | None = None,
        last_px: Decimal | None = None,
    ) -> str:
        """Correct a trade, or the last one; the ExecID that it first had."""
        answer = self.call("correct", exec_id=exec_id, last_qty=last_qty, last_px=last_px)
        return str(answer["id"])

    def cancel(self, order_id: str | None = None) -> str:
        """Cancel a working order, or the newest, without being asked; its OrderID."""
        return str(self.call("cancel", order_id=order_id)["id"])

    def split(self, symbol: str, new_shares: int, old_shares: int) -> None:
        """Re-base the symbol's working orders, and restate each."""
        self.call("split", symbol=symbol, new_shares=new_shares, old_shares=old_shares)

    def reprice(self, price: Decimal, order_id: str | None = None) -> str:
        """Give a working order, or the newest, another price; its OrderID."""
        return str(self.call("reprice", price=price, order_id=order_id)["id"])

    def unknown_fill(
        self,
        symbol: str,
        side: str,
        last_qty: Decimal,
        last_px: Decimal,
        session: str | None = None,
    ) -> str:
        """Report the fill of an order that nobody sent; its ExecID."""
        answer = self.call(
            "unknown_fill",
            symbol=symbol,
            side=side,
            last_qty=last_qty,
            last_px=last_px,
            session=session,
        )
        return str(answer["id"])

    def falsify(self, kind: str, exec_id: str | None = None) -> str:
        """Have the trade file lie about a trade; its ExecID, or "" if it is still to come."""
        return str(self.call("falsify", kind=kind, exec_id=exec_id)["id"])

    def expire_day(self) -> None:
        """End the trading day: every working order expires."""
        self.call("expire_day")

    def write_trade_file(self, day: str | None = None) -> dict[str, str]:
        """Write the files of a UTC date (YYYY-MM-DD, else today): paths `trades` and `orders`."""
        answer = self.call("write_trade_file", day=day)
        return {key: str(answer[key]) for key in ("trades", "orders")}

    # Questions

    def orders(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self.call("orders")["orders"]
        return found

    def trades(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self.call("trades")["trades"]
        return found

    def falsifications(self) -> list[dict[str, str]]:
        """Every lie of the trade file: kind, exec_id, cl_ord_id, symbol."""
        found: list[dict[str, str]] = self.call("falsifications")["falsifications"]
        return found

    def stats(self) -> dict[str, Any]:
        return self.call("stats")

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
