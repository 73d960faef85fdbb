"""What happens by the clock: calendars, the trading day's turn, reconciliation, verification."""
