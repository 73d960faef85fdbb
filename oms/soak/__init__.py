"""A soak: the real parts under faults drawn from one seed, and the simulator's checkers after."""
