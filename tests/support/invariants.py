"""What must hold of a State after every command: the simulator's own laws."""

from oms.simulation.invariants import check_packing, check_same, check_state

__all__ = ["check_packing", "check_same", "check_state"]
