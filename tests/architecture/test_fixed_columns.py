"""What the journal never writes a second time has to be what the fold never changes."""

import ast

from oms.store.operations import ORDER_FIXED
from tests.architecture import sources

# Columns that have another name in an order.
_COUNTERPARTY = {"client", "venue"}
FOLDS = (
    "oms.fold",
    "oms.fold_orders",
    "oms.fold_sessions",
    "oms.fold_answers",
    "oms.fold_baskets",
    "oms.fold_trades",
)


def changed_attributes() -> dict[str, str]:
    """Attributes that the fold sets, of anything but the state, and where."""
    found = {}
    for path in sources.modules(FOLDS):
        for node in ast.walk(sources.tree(path)):
            targets = node.targets if isinstance(node, ast.Assign) else []
            targets += [node.target] if isinstance(node, ast.AugAssign) else []
            for target in targets:
                if isinstance(target, ast.Attribute) and ast.unparse(target.value) != "state":
                    found[target.attr] = sources.place(path, node.lineno)
    return found


def test_no_column_that_an_update_leaves_out_is_changed_by_a_fact() -> None:
    changed = changed_attributes()
    assert {"session", "price", "order_qty", "closed"} <= changed.keys()
    fixed = ORDER_FIXED - _COUNTERPARTY | {"counterparty"}
    wrong = {name: changed[name] for name in sorted(fixed & changed.keys())}
    assert not wrong, f"ORDER_FIXED of oms.store.operations holds what changes: {wrong}"
