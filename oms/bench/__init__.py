"""oms bench: what the server does in a second, beside what QuickFIX and PostgreSQL alone can do."""
