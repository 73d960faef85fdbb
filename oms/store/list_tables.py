"""Tables of lists of orders (baskets); see read_tables."""

from sqlalchemy import BigInteger, Column, Date, Index, Integer, Table, Text

from oms.store.columns import flag, metadata, moment, number, words

order_lists = Table(
    "order_lists",
    metadata,
    Column(
        "seq",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="journal number of its acceptance",
    ),
    moment("at"),
    Column("client", Text, nullable=False),
    Column("list_id", Text, nullable=False),
    words("session"),
    Column("trade_date", Date),
    Column("tot_no_orders", Integer, nullable=False),
    flag("waits"),
    moment("begun_at", nullable=True),
    moment("canceled_at", nullable=True),
    moment("done_at", nullable=True),
    comment="lists of orders that were taken (NewOrderList)",
)
Index(
    "order_lists_client_list_id_idx",
    order_lists.c.client,
    order_lists.c.list_id,
    order_lists.c.seq,
)

list_orders = Table(
    "list_orders",
    metadata,
    Column("list_seq", BigInteger, primary_key=True, autoincrement=False),
    Column("list_seq_no", Integer, primary_key=True, autoincrement=False),
    Column("cl_ord_id", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("side", Text, nullable=False),
    number("order_qty"),
    Column("order_id", Text, comment="NULL before it is an order, and where it never became one"),
    Column(
        "seq",
        BigInteger,
        nullable=False,
        comment="journal number of the fragment, or list, in which it came",
    ),
    comment="what the orders of a list asked for, and which orders they became",
)
Index("list_orders_order_id_idx", list_orders.c.order_id)
