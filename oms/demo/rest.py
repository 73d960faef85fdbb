"""The REST client: submits its share of the orders and changes some, as a trader's program would.

What is not answered is sent again with the same cl_ord_id, which the server takes once.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from oms.demo.plan import PlannedOrder
from oms.demo.world import World
from oms.domain.fix import OrdType, Side, TimeInForce

TIMEOUT_S = 10.0
AGAIN_S = 0.1
GIVE_UP_S = 60.0
_LOOK_S = 0.01
SUBMIT = ("POST", "/v1/orders")
Body = dict[str, Any]

_AGAIN = frozenset({202, 500, 502, 503, 504})


@dataclass(slots=True, kw_only=True)
class RestOrder:
    """One order as its sender knows it. refusal: what the problem document said."""

    order: PlannedOrder
    order_id: str = ""
    refusal: str = ""
    last: dict[str, Any] | None = None


class RestClient:
    """A thread that sends while the flow goes on; `progress` says how far it is, 0 to 1."""

    def __init__(
        self, world: World, orders: Sequence[PlannedOrder], progress: Callable[[], float]
    ) -> None:
        self.orders = [RestOrder(order=one) for one in orders]
        self.sent = 0
        self.answered = 0
        self.faults: list[str] = []
        self._world = world
        self._progress = progress
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rest", daemon=True)
        self._changes = 0

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(TIMEOUT_S + 1)

    def read_back(self) -> None:
        """What the server says of each order now."""
        with self._connected() as http:
            for one in self.orders:
                if one.order_id:
                    path = f"/v1/orders/{one.order_id}"
                    # The desk's key: a trader's does not see what was refused for its account.
                    one.last = self._call(http, "operations", ("GET", path))

    def submit_again(self, count: int) -> list[str]:
        """Submit the first orders again as they were; what is not answered as the first time."""
        faults = []
        with self._connected() as http:
            for one in [one for one in self.orders if one.order_id and not one.refusal][:count]:
                said = self._call(http, one.order.client, SUBMIT, _body(one.order))
                if said.get("order_id") != one.order_id:
                    faults.append(f"{one.order.cl_ord_id}: {one.order_id}, sent again: {said}")
        return faults

    def _connected(self) -> httpx.Client:
        return httpx.Client(base_url=self._world.api_url, timeout=TIMEOUT_S, trust_env=False)

    def _run(self) -> None:
        try:
            with self._connected() as http:
                for number, one in enumerate(self.orders):
                    while self._progress() < number / len(self.orders):
                        if self._stopping.wait(_LOOK_S):
                            return
                    self._send(http, one)
        except Exception as error:  # noqa: BLE001 - whatever it is, it fails a check
            self.faults.append(f"REST client: {type(error).__name__}: {error}")

    def _send(self, http: httpx.Client, one: RestOrder) -> None:
        self.sent += 1
        said = self._call(http, one.order.client, SUBMIT, _body(one.order))
        one.order_id = str(said.get("order_id") or "")
        one.refusal = str(said.get("detail") or "")
        self.answered += 1
        if one.refusal or not one.order_id:
            return
        for change in one.order.changes:
            self._changes += 1
            path = f"/v1/orders/{one.order_id}"
            name = f"{one.order.cl_ord_id}-{self._changes}"
            if change.order_qty:
                body = {"cl_ord_id": name, "order_qty": change.order_qty, "price": change.price}
                self._call(http, one.order.client, ("PUT", path), body)
            else:
                self._call(http, one.order.client, ("POST", f"{path}/cancel"), {"cl_ord_id": name})

    def _call(
        self, http: httpx.Client, key: str, what: tuple[str, str], body: Body | None = None
    ) -> dict[str, Any]:
        """The answer, once there is one; a problem document where it is a refusal."""
        method, path = what
        headers = {"X-API-Key": self._world.keys[key]}
        deadline = time.monotonic() + GIVE_UP_S
        last = "nothing"
        while time.monotonic() < deadline and not self._stopping.is_set():
            try:
                answer = http.request(method, path, json=body, headers=headers)
            except httpx.TransportError as error:
                last = f"{type(error).__name__}: {error}"
                self._stopping.wait(AGAIN_S)
                continue
            if answer.status_code in _AGAIN:
                last = f"{answer.status_code} {answer.text}"
                self._stopping.wait(AGAIN_S)
                continue
            said: dict[str, Any] = answer.json()
            return said
        fault = f"REST: {method} {path} {body}: no answer in {GIVE_UP_S:.0f} s; last: {last}"
        self.faults.append(fault)
        return {}


def _body(order: PlannedOrder) -> Body:
    body = {
        "cl_ord_id": order.cl_ord_id,
        "account": order.account,
        "symbol": order.symbol,
        "side": Side(order.side).name,
        "order_qty": order.order_qty,
        "ord_type": OrdType(order.ord_type).name,
        "time_in_force": TimeInForce(order.time_in_force).name,
    }
    return {**body, "price": order.price} if order.price else body
