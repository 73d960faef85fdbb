"""Positions: quantity, cost and realised profit from executions; pure."""
