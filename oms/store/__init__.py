"""What is in PostgreSQL: tables, journal, projections, leadership, and a server of our own."""
