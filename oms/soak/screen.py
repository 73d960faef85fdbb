"""People at their screens: orders to `oms api` over HTTP, sent again until they are answered.

The API may be dead, frozen or cut off, and its database away. The same request again under the same
ClOrdID is that request, so whoever got no answer asks again as long as it takes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import httpx

from oms.domain.commands import NewOrderSingle
from oms.domain.values import decimal_text
from oms.simulation.rest import Handed
from oms.soak.site import CLIENTS, Site

_TIMEOUT_S: Final = 5.0
# It may have been taken, and may not: who sends it again is told. And whose key is unknown is of a
# client that is out of the configuration for a while.
_AGAIN: Final = frozenset(
    {HTTPStatus.ACCEPTED, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.UNAUTHORIZED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What REST said of an order in the end. odd: an answer that it may not give, empty if none."""

    accepted: bool
    order_id: str
    odd: str = ""


@dataclass(slots=True)
class People:
    """What all people have done: orders by client, the final answers by their numbers in the inbox.

    lost: what was answered and is not in the inbox.
    """

    handed: dict[str, list[Handed]] = field(
        default_factory=lambda: {name: list[Handed]() for name in CLIENTS}
    )
    told: dict[int, Told] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)


class Screen:
    """See the module; for one thread."""

    def __init__(self, site: Site, wait: Callable[[], bool]) -> None:
        """wait: for a moment between two tries; whether to give up."""
        self._keys: Mapping[str, str] = site.api_keys
        self._wait = wait
        self._http = httpx.Client(
            base_url=f"http://{site.api.host}:{site.api.port}", timeout=_TIMEOUT_S, trust_env=False
        )

    def submit(self, client: str, order: NewOrderSingle) -> Told | None:
        """The final answer; None where it was given up."""
        while True:
            try:
                answer = self._http.post(
                    "/v1/orders", json=_body(order), headers={"X-API-Key": self._keys[client]}
                )
            except httpx.TransportError:
                pass
            else:
                if answer.status_code not in _AGAIN:
                    return told_by(answer)
            if self._wait():
                return None

    def close(self) -> None:
        """End its connections."""
        self._http.close()


def told_by(answer: httpx.Response) -> Told:
    """An order with its number, or a refusal with its reason; all else is odd."""
    try:
        said = answer.json()
    except ValueError:
        said = {}
    order_id = str(said.get("order_id") or "")
    accepted = answer.is_success and bool(order_id)
    if accepted or (answer.is_client_error and said.get("reason")):
        return Told(accepted=accepted, order_id=order_id)
    return Told(accepted=False, order_id="", odd=f"{answer.status_code} {answer.text[:200]}")


def _body(order: NewOrderSingle) -> dict[str, Any]:
    assert order.price is not None
    return {
        "cl_ord_id": order.cl_ord_id,
        "account": order.account,
        "symbol": order.symbol,
        "side": order.side.name,
        "order_qty": decimal_text(order.order_qty),
        "ord_type": order.ord_type.name,
        "price": decimal_text(order.price),
        "time_in_force": order.time_in_force.name,
    }
