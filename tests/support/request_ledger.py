"""Clients that replace, chain, cancel, mass cancel and dispute, and what that must come to.

Whatever is killed meanwhile: every request is answered once, and in the end client, journal and
venue agree on what every order is, what it asks for, and what it has traded.
"""

import random
from decimal import Decimal

from fix_sessions.light_session import Message
from fix_sessions.light_socket import LightPeer
from tests.integration.exchange_process import VenueProcess
from tests.support.desk import Desk
from tests.support.ledger import Ledger, order

ACTIONS_A_ROUND = 40
_NOW = (60, "20260101-00:00:00")
# What a request is granted by: an order that ends unasked bears the name of its last replace.
_PENDING = frozenset({"6", "E"})
_GRANTED = {"F": "4", "G": "5"}


class RequestLedger(Ledger):
    """What one client asked for and was told. asked: MsgType of cancels and replaces by ClOrdID."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.asked: dict[str, str] = {}
        self.mass_cancels: list[str] = []
        self.disputed: list[str] = []
        self.status_after_refusal: dict[str, str | None] = {}
        self._answers: dict[str, set[tuple[str | None, ...]]] = {}
        self._mass_reports: dict[str, set[tuple[str | None, ...]]] = {}
        self._seen = 0

    def read(self, peer: LightPeer) -> None:
        """Take in what has come; answers that say the same are one answer."""
        for message in peer.messages[self._seen :]:
            name = message.get(11) or ""
            if message.msg_type == "9":
                said = tuple(message.get(tag) for tag in (37, 39, 41, 102, 434))
                self._answers.setdefault(name, set()).add(("9", *said))
                self.status_after_refusal[message.get(37) or ""] = message.get(39)
            elif message.msg_type == "8" and message.get(150) == _GRANTED.get(self._type(name)):
                said = (message.get(150), message.get(17))
                self._answers.setdefault(name, set()).add(said)
            elif message.msg_type == "r":
                said = tuple(message.get(tag) for tag in (37, 531, 533))
                self._mass_reports.setdefault(name, set()).add(said)
            assert message.msg_type not in {"3", "j"}, str(message)
        self._seen = len(peer.messages)
        super().read(peer)

    def _type(self, name: str) -> str:
        return self.asked.get(name, "")

    def answered(self) -> bool:
        """Whether every order, request and mass cancel has its answer."""
        return (
            super().answered()
            and self._answers.keys() >= self.asked.keys()
            and self._mass_reports.keys() >= set(self.mass_cancels)
        )

    def check_answers(self) -> None:
        """One answer each, whatever was told again."""
        for name in self.asked:
            assert len(self._answers[name]) == 1, (name, self._answers[name])
        for name in self.mass_cancels:
            assert len(self._mass_reports[name]) == 1, (name, self._mass_reports[name])

    def affected(self) -> int:
        """TotalAffectedOrders (533) of all mass cancels."""
        return sum(int(count or 0) for said in self._mass_reports.values() for _, _, count in said)

    def last_told(self) -> dict[str, Message]:
        """By our OrderID, what the client was told last: ExecIDs are numbered as it happened."""
        told: dict[str, Message] = {}
        for exec_id in sorted(self.reports, key=lambda one: int(one.lstrip("E"))):
            report = self.reports[exec_id]
            told[report.get(37) or ""] = report
        return told


def act_and_kill(desk: Desk, ledgers: list[RequestLedger], random_: random.Random) -> None:
    """A burst of everything over all sessions, killed somewhere inside."""
    kill_at = random_.randrange(5, ACTIONS_A_ROUND)
    peers = {ledger.name: desk.client(ledger.name) for ledger in ledgers}
    for n in range(ACTIONS_A_ROUND):
        ledger = random_.choice(ledgers)
        _act(ledger, peers[ledger.name], random_, n)
        desk.hub.pump(random_.choice([0.0, 0.0, 0.002]))
        ledger.read(peers[ledger.name])
        if n == kill_at:
            desk.kill_core()
            desk.start_core()


def _act(ledger: RequestLedger, peer: LightPeer, random_: random.Random, n: int) -> None:
    lot = random_.random()
    if not ledger.sent or lot < 0.35:
        name = f"{ledger.name}-{len(ledger.sent)}"
        ledger.sent.append(name)
        price = random_.choice(["99.90", "99.80", "100.10"])
        peer.send("D", order(ledger.name, name, str(random_.randrange(1, 9) * 10), price, "0"))
    elif lot < 0.80:
        _ask("G", ledger, peer, random_, n)
    elif lot < 0.90:
        _ask("F", ledger, peer, random_, n)
    elif lot < 0.95:
        _dispute(ledger, peer)
    else:
        name = f"{ledger.name}-mass-{len(ledger.mass_cancels)}"
        ledger.mass_cancels.append(name)
        peer.send("q", [(11, name), (530, "7"), _NOW])


def _ask(
    msg_type: str, ledger: RequestLedger, peer: LightPeer, random_: random.Random, n: int
) -> None:
    """Often about the order before, so that chains arise."""
    orig = random_.choice(ledger.sent[-2:] if random_.random() < 0.7 else ledger.sent)
    name = f"{orig}-{msg_type}{len(ledger.asked)}-{n}"
    ledger.asked[name] = msg_type
    qty, price = str(random_.randrange(1, 15) * 10), random_.choice(["99.90", "99.70", "100.20"])
    fields = order(ledger.name, name, qty, price, "0")
    peer.send(msg_type, [*fields, (41, orig)])


def _dispute(ledger: RequestLedger, peer: LightPeer) -> None:
    """The newest fill that is not disputed yet."""
    for report in reversed(ledger.reports.values()):
        exec_id = report.get(17) or ""
        if report.get(150) == "F" and exec_id not in ledger.disputed:
            ledger.disputed.append(exec_id)
            about = [(37, report.get(37) or ""), (17, exec_id), (55, "ACME"), (54, "1")]
            peer.send("Q", [*about, (127, "C"), (58, "not ours")])
            return


def compare_terms(desk: Desk, exchange: VenueProcess, ledgers: list[RequestLedger]) -> None:
    """What each order asks for is the same to its client, in the journal and at the venue."""
    for ledger in ledgers:
        ledger.check_answers()
        told = ledger.last_told()
        rows = desk.rows(
            "SELECT order_id, ord_status, order_qty, price, cum_qty, leaves_qty FROM orders "
            "WHERE client = %s",
            ledger.name,
        )
        for order_id, status, *figures in rows:
            report = told[str(order_id)]
            if report.get(39) in _PENDING:  # then the request was refused, which tells more
                assert ledger.status_after_refusal[str(order_id)] == status, str(report)
            else:
                assert report.get(39) == status, (str(report), status)
            assert [_number(report, tag) for tag in (38, 44, 14, 151)] == figures, str(report)
        disputes = desk.rows("SELECT report_id FROM disputes WHERE client = %s", ledger.name)
        assert sorted(str(one) for (one,) in disputes) == sorted(ledger.disputed)
    at_venue = {str(one["cl_ord_id"]): one for one in exchange.control().orders()}
    query = "SELECT cl_ord_id, order_qty FROM child_orders WHERE is_open"
    for cl_ord_id, order_qty in desk.rows(query):
        assert Decimal(str(at_venue[str(cl_ord_id)]["order_qty"])) == order_qty, cl_ord_id
    query = (
        "SELECT count(*) FROM journal WHERE type = 'CancelPending' "
        "AND convert_from(payload, 'UTF8') LIKE '%%MASS_CANCEL%%'"
    )
    [(withdrawn,)] = desk.rows(query, *[])
    assert withdrawn == sum(ledger.affected() for ledger in ledgers)


def _number(report: Message, tag: int) -> Decimal:
    return Decimal(report.get(tag) or "0")
