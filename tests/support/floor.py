"""A whole trading floor for tests at the wire: a real core, clients, venues that a test speaks for.

One core serves all tests of a file; each test makes orders of its own and leaves none open.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import psycopg

from fix_sessions.light_session import LightSettings, Message
from fix_sessions.light_socket import Hub, LightPeer
from oms.audit.verify import verify
from oms.domain.commands import Command
from oms.store.codec import encode
from tests.support.book_venue import BookVenue, VenueOrder
from tests.support.desk import Desk, cl_ord_id, new_order, report_of

_ACK = "ack_timeout_ms = 1000\n"
# The client order that has, or had, that ClOrdID.
_NAMED = (
    "SELECT order_id FROM orders WHERE cl_ord_id = %s UNION "
    "SELECT order_id FROM order_cl_ord_ids WHERE cl_ord_id = %s"
)


class Floor:
    """venues: by name, in the order of the configuration; `venue` is the first."""

    def __init__(self, desk: Desk, venues: dict[str, BookVenue]) -> None:
        self.desk = desk
        self.venues = venues
        self.venue = next(iter(venues.values()))
        self.start()

    def start(self) -> None:
        """A core, in step with its venues, and ALPHA logged on."""
        before = self.count("ResyncCompleted")
        self.desk.start_core()
        wanted = before + len(self.venues)
        self.desk.until(lambda: self.count("ResyncCompleted") >= wanted, "the venues in step")
        self.client = self.desk.client()

    def restart(self) -> None:
        """SIGKILL, and a core that goes on."""
        self.desk.kill_core()
        self.start()

    def count(self, event: str) -> int:
        """How many such events the journal has."""
        [(found,)] = self.desk.rows("SELECT count(*) FROM journal WHERE type = %s", event)
        return int(str(found))

    def send(self, client: LightPeer | None = None, **more: str) -> str:
        """An order; its ClOrdID."""
        fields = new_order(**more)
        (client or self.client).send("D", fields)
        return cl_ord_id(fields)

    def order(
        self, client: LightPeer | None = None, venue: BookVenue | None = None, **more: str
    ) -> tuple[str, VenueOrder]:
        """An order that its client knows to be New and that has come to the venue."""
        book = (venue or self.venue).orders
        seen = len(book)
        name = self.send(client, **more)
        report_of(client or self.client, name, "0")
        self.desk.until(lambda: len(book) > seen, "the order at the venue")
        return name, book[seen]

    def ask(self, msg_type: str, orig: str, **more: str) -> str:
        """A cancel (F) or replace (G) of that order of ALPHA; its ClOrdID."""
        fields = new_order(**more)
        self.client.send(msg_type, [*fields, (41, orig)])
        return cl_ord_id(fields)

    def asked(self, order: VenueOrder, count: int = 1) -> None:
        """Until the venue has so many requests on the order to answer."""
        self.desk.until(lambda: len(order.requests) >= count, f"{count} requests at the venue")

    def row(self, name: str) -> tuple[object, ...]:
        """OrdStatus, CumQty, whether open and in doubt, of the order that has or had that name."""
        found = self.desk.rows(
            "SELECT ord_status, cum_qty, is_open, in_doubt FROM orders "
            f"WHERE order_id IN ({_NAMED})",
            name,
            name,
        )
        return found[0] if found else ()

    def becomes(self, name: str, status: str, cum_qty: str, *, is_open: bool = False) -> None:
        """Until the order is just that, and beyond doubt."""
        wanted = (status, cum_qty, is_open, False)

        def holds() -> bool:
            found = self.row(name)
            return (*found[:1], f"{found[1]:f}", *found[2:]) == wanted if found else False

        try:
            self.desk.until(holds, f"{name} to be {wanted}")
        except AssertionError:
            raise AssertionError(f"{name} is {self.row(name)}, not {wanted}") from None

    def told(self, name: str, client: LightPeer | None = None) -> list[Message]:
        """What the client was told under that ClOrdID, statuses aside."""
        return [
            one
            for one in (client or self.client).messages
            if one.msg_type in {"8", "9"} and one.get(11) == name and one.get(150) != "I"
        ]

    def kinds(self, name: str, count: int, client: LightPeer | None = None) -> list[str]:
        """ExecType (150) of what the client was told, once it is so much; 9: OrderCancelReject."""

        def found() -> list[str]:
            return [one.get(150) or one.msg_type for one in self.told(name, client)]

        self.desk.until(lambda: len(found()) >= count, f"{count} reports of {name}")
        return found()

    def heard(self, name: str, kinds: list[str], client: LightPeer | None = None) -> None:
        """The client is told just that."""
        assert self.kinds(name, len(kinds), client) == kinds

    def position(self, account: str = "ALPHA-1", symbol: str = "ACME") -> str:
        """The quantity held."""
        query = "SELECT quantity FROM positions WHERE account = %s AND symbol = %s"
        found = self.desk.rows(query, account, symbol)
        return f"{found[0][0]:f}" if found else "0"

    def executions(self, name: str) -> list[tuple[object, ...]]:
        """ExecID, quantity, price and flags of the fills of that client order."""
        return self.desk.rows(
            "SELECT exec_id, last_qty, last_px, excess, late, early, busted FROM executions "
            f"WHERE parent_id IN ({_NAMED}) ORDER BY seq",
            name,
            name,
        )

    def discrepancies(self, child: str) -> list[tuple[object, ...]]:
        """Where the venue's word and ours differ on that child order."""
        query = "SELECT field, ours, theirs FROM discrepancies WHERE order_id = %s ORDER BY seq"
        return self.desk.rows(query, child)

    def command(self, order: Command) -> None:
        """An operator's or the jobs' command."""
        command(self.desk, order)

    def trade_date(self) -> str:
        """The trading date of the journal."""
        return trade_date(self.desk)

    def lose_venue(self) -> None:
        """The first venue's connection breaks, and the core has noticed."""
        self.venue.peer.kill()
        query = "SELECT 1 FROM sessions WHERE name = 'XSIM' AND NOT logged_on"
        self.desk.until(lambda: self.desk.rows(query), "the venue to be lost")

    def find_venue(self) -> None:
        """The venue listens again, and has told what it has."""
        before = self.count("ResyncCompleted")
        self.venue.peer.listen()
        self.desk.until(lambda: self.count("ResyncCompleted") > before, "the venue in step")

    def verified(self) -> None:
        """The tables are what the journal says."""
        report = verify(self.desk.database_url)
        assert report.ok, (report.faults, report.differences)


def command(desk: Desk, order: Command) -> None:
    """An operator's or the jobs' command, by the inbox."""
    body = encode(order)
    with psycopg.connect(desk.database_url) as connection:
        connection.execute(
            "INSERT INTO command_inbox (counterparty, key, command_type, body, body_hash) "
            "VALUES ('ALPHA', %s, %s, %s, %s)",
            [str(uuid4()), type(order).__name__, body, sha256(body).digest()],
        )


def trade_date(desk: Desk) -> str:
    """The trading date of the journal."""
    [(found,)] = desk.rows(
        "SELECT max(convert_from(payload, 'UTF8')::json ->> 'trade_date') FROM journal "
        "WHERE type = 'TradingDateOpened'"
    )
    return str(found)


@contextmanager
def floor_with(
    directory: Path,
    database_url: str,
    *,
    venues: tuple[str, ...] = ("XSIM",),
    client: str = "",
    venue: str = "",
) -> Iterator[Floor]:
    """A floor. client, venue: TOML behind ALPHA's and behind each venue's table."""
    hub = Hub()
    books = {}
    for name in venues:
        settings = LightSettings(sender_comp_id=name, target_comp_id="OMS", initiates=False)
        books[name] = BookVenue(hub.venue(settings))
    desk = Desk(directory, database_url, {name: one.peer.port for name, one in books.items()})
    desk.hub.close()
    desk.hub = hub
    text = desk.config.read_text()
    for name in venues:
        mine = f'[[venues]]\nname = "{name}"\n'
        head, _, tail = text.partition(mine)
        text = head + mine + tail.replace('_id = "XSIM"', f'_id = "{name}"', 1)
    text = text.replace(_ACK, f"{_ACK}{venue}")
    text = text.replace("allow_reset = false\n", f"allow_reset = false\n{client}")
    desk.config.write_text(text)
    try:
        yield Floor(desk, books)
    finally:
        desk.close()
