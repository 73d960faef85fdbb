"""A simulated venue: price-time matching, liquidity, quotes, faults, day's statements; pure."""
