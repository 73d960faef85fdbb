"""No order and no request is lost: each has a final answer, and only one."""

from oms.simulation.watching import Watcher


class Checker(Watcher):
    """Reads the clients' books when everything has come to an end."""

    def at_quiet(self) -> None:
        """See Watcher."""
        for name, client in self.world.clients.items():
            for asked in client.ledger.asked.values():
                answers = asked.finals
                assert answers, f"{name} has no answer to {asked.cl_ord_id} ({asked.msg_type})"
                if asked.times == 1 and not asked.reused:
                    assert len(answers) == 1, (
                        f"{name} has {len(answers)} answers to {asked.cl_ord_id}: {answers}"
                    )
