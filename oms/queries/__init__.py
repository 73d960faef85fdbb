"""SQL reads, one module per screen. A row is a mapping of column names to exact values."""
