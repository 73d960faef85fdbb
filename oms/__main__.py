"""`python -m oms` is the command `oms`."""

from oms.cli import app

app()
