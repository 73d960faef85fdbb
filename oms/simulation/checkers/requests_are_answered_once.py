"""No order and no request is lost: each has a final answer, and only one."""

from oms.simulation.watching import Watcher


class Checker(Watcher):
    """Reads the clients' books when everything has come to an end."""

    def at_quiet(self) -> None:
        """See Watcher."""
        for name, client in self.world.clients.items():
            if client.ledger.lost:
                continue
            for asked in client.ledger.asked.values():
                answers = asked.finals
                if not answers and asked.at <= client.ledger.skipped_at:
                    continue
                if not answers and asked.msg_type == "D" and self._is_held(name, asked.cl_ord_id):
                    continue
                assert answers, f"{name} has no answer to {asked.cl_ord_id} ({asked.msg_type})"
                if asked.times == 1 and not asked.reused:
                    assert len(answers) == 1, (
                        f"{name} has {len(answers)} answers to {asked.cl_ord_id}: {answers}"
                    )

    def _is_held(self, name: str, cl_ord_id: str) -> bool:
        """Whether we hold it, and its client's profile wants no New before a venue has it."""
        state = self.world.shadow.state
        order = state.order_of(name, cl_ord_id)
        return order is not None and order.order_id in state.held
