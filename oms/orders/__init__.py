"""Client orders: what a client's request comes to, and what its children's fate means for it; pure."""
