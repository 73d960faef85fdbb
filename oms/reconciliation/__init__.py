"""Reconciliation: our orders and executions against a venue's statement of the day; pure."""
