"""REST as a trader's program uses it: one connection kept open, one order at a time."""

import http.client
import json
import time

from oms.bench.load import PAUSE_S, BenchError, OrderShape

_TIMEOUT_S = 20.0
_SUCCESS = range(200, 300)


class RestClient:
    """Submits orders to `oms api` and times the answers."""

    def __init__(self, *, port: int, api_key: str, shape: OrderShape) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
        self._headers = {"Content-Type": "application/json", "X-API-Key": api_key}
        self._shape = shape
        self._prefix = f"REST{time.time_ns():x}-"
        self._submitted = 0

    def run(self, orders: int) -> list[int]:
        """The delay from submission to answer of each order, ns. BenchError for a refusal."""
        delays_ns = []
        # The server ends a connection that is idle for long; a new one is no part of the delay.
        self._connection.close()
        self._connection.connect()
        for _ in range(orders):
            time.sleep(PAUSE_S)
            delays_ns.append(self._submit())
        return delays_ns

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _submit(self) -> int:
        self._submitted += 1
        order = dict(self._shape.fields(self._submitted, f"{self._prefix}{self._submitted}"))
        body = {
            "cl_ord_id": order[11],
            "account": order[1],
            "symbol": order[55],
            "side": {"1": "BUY", "2": "SELL"}[order[54]],
            "order_qty": order[38],
            "ord_type": "LIMIT",
            "price": order[44],
            "time_in_force": "DAY",
        }
        data = json.dumps(body).encode()
        start_ns = time.perf_counter_ns()
        try:
            self._connection.request("POST", "/v1/orders", body=data, headers=self._headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except OSError as error:
            raise BenchError(f"REST: {error}") from None
        delay_ns = time.perf_counter_ns() - start_ns
        if answer.status not in _SUCCESS or answer.status == http.HTTPStatus.ACCEPTED:
            raise BenchError(f"REST answers {answer.status}: {text[:500]!r}")
        return delay_ns
