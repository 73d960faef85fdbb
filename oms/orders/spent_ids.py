"""ClOrdIDs that name no order and are used up all the same: those of the date's mass cancels."""

from oms.domain.commands import Origin
from oms.domain.profile import ClOrdIdScope
from oms.domain.reasons import Reason
from oms.domain.state import State


def spent(state: State, origin: Origin, cl_ord_id: str) -> tuple[Reason, str] | None:
    """Why the id is not to be had for an order or a request on one; None where nothing has it.

    Where an id is bound only as long as its order works, a mass cancel binds none.
    """
    if (origin.counterparty, cl_ord_id) not in state.mass_cancels:
        return None
    profile = state.reference.client_profile(origin.counterparty)
    if profile.cl_ord_id_scope is ClOrdIdScope.WORKING:
        return None
    return (
        Reason.DUPLICATE_CL_ORD_ID,
        f"ClOrdID (11) = {cl_ord_id}: already used for a mass cancel",
    )
