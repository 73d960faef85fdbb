"""child_orders loses an index that no query reads.

Its condition, is_open, kept the update that closes an order from staying in its page (HOT), and so
made it an entry in each of the table's indexes.
"""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.get_bind().exec_driver_sql("DROP INDEX child_orders_open_idx")
