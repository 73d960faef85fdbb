"""Execution: routing, venues, algorithms and market data; pure."""
