"""Client orders: what a request comes to, and what its children's fate means for it; pure."""
