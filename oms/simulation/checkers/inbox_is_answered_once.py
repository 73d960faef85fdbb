"""What the inbox holds is taken once and answered, and is the order that its answer names."""

from oms.domain.commands import NewOrderSingle
from oms.simulation.rest import Handed
from oms.simulation.shadow import Group
from oms.simulation.watching import Watcher
from oms.simulation.world import World


class Checker(Watcher):
    """Numbers of commands that the journal has taken; and what REST's users have handed over."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._taken: set[int] = set()

    def folded(self, groups: list[Group]) -> None:
        """See Watcher."""
        for group in groups:
            number = group.command.origin.inbox_id
            if number:
                assert number not in self._taken, f"command {number} of the inbox was taken twice"
                self._taken.add(number)

    def at_quiet(self) -> None:
        """See Watcher."""
        orders: dict[str, str] = {}
        for user in self.world.rest.values():
            for one in user.handed:
                accepted, order_id = self._answer(one)
                command = one.command
                if not accepted or not isinstance(command, NewOrderSingle):
                    continue
                row = self.world.disk.tables.rows["orders"].get((order_id,))
                assert row is not None, f"{one.key} was answered by {order_id}, which is not shown"
                shown = (row["client"], row["symbol"], row["account"])
                asked = (user.client, command.symbol, command.account)
                assert shown == asked, f"{order_id} is of {shown}, and {one.key} asked for {asked}"
                first = orders.setdefault(order_id, command.cl_ord_id)
                assert first == command.cl_ord_id, (
                    f"{order_id} answers both {first} and {command.cl_ord_id}"
                )

    def _answer(self, one: Handed) -> tuple[bool, str]:
        row = self.world.disk.answers.get(one.number)
        assert row is not None, f"{one.key} over REST was never answered"
        return bool(row[2]), str(row[4])
