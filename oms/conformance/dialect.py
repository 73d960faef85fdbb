"""What a FIX version spells differently; the rows are FIX 4.4. Apart from the server's own codecs.

FIX 4.2 says by ExecTransType (20) what later versions say by ExecType: a trade is Partial fill (1)
or Fill (2), its bust Cancel (20=1), its correction Correct (20=2), a status report Status (20=3).
Its report of a replace on an order that has not traded has OrdStatus Replaced (5), later ones New.
"""

from dataclasses import dataclass
from decimal import Decimal

from oms.conformance.compare import Wanted
from oms.conformance.matrix import Row

Body = list[tuple[int, str]]

_TRANS_TYPES = {"H": "1", "G": "2", "I": "3"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One FIX version on the wire. logon_fields: what a Logon of it must carry besides."""

    version: str
    begin_string: str
    logon_fields: tuple[tuple[int, str], ...] = ()
    exec_trans_type: bool = False

    def exec_type_wanted(self, row: Row) -> list[Wanted]:
        """ExecType, and ExecTransType where the version has it."""
        if not self.exec_trans_type:
            return [Wanted(tag=150, value=row.exec_type)]
        found = [Wanted(tag=20, value=_TRANS_TYPES.get(row.exec_type, "0"))]
        if row.exec_type == "F":
            found.append(Wanted(tag=150, value=_fill_kind(row)))
        elif row.exec_type not in _TRANS_TYPES:
            found.append(Wanted(tag=150, value=row.exec_type))
        return found

    def ord_status(self, exec_type: str, ord_status: str) -> str:
        """OrdStatus in this version, of what FIX 4.4 has."""
        replaced = self.exec_trans_type and exec_type == "5" and ord_status == "0"
        return "5" if replaced else ord_status

    def exec_type_said(self, exec_type: str, ord_status: str, *, complete: bool) -> Body:
        """The same fields, as a scripted venue says them; complete: CumQty is OrderQty."""
        if not self.exec_trans_type:
            return [(150, exec_type)]
        trans_type = _TRANS_TYPES.get(exec_type, "0")
        if exec_type == "F":
            exec_type = "2" if complete else "1"
        elif exec_type in _TRANS_TYPES:
            exec_type = ord_status  # FIX 4.2 has ExecType repeat the order's state there
        return [(20, trans_type), (150, exec_type)]


def _fill_kind(row: Row) -> str:
    return "2" if row.cum_qty is not None and row.cum_qty == row.order_qty else "1"


FIX44 = Dialect(version="FIX 4.4", begin_string="FIX.4.4")
FIX42 = Dialect(version="FIX 4.2", begin_string="FIX.4.2", exec_trans_type=True)
FIX50SP2 = Dialect(version="FIX 5.0SP2", begin_string="FIXT.1.1", logon_fields=((1137, "9"),))
# Those that are played.
DIALECTS = (FIX44, FIX42, FIX50SP2)


def text(value: Decimal) -> str:
    """A number as FIX writes it."""
    return format(value, "f")
