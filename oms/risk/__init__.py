"""Pre-trade risk: limits, checks and the kill switch; pure."""
