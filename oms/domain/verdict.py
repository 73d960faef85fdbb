"""Verdict: what the risk checks came to, with every figure that was compared."""

from oms.domain.fact import fact
from oms.domain.reasons import Reason
from oms.domain.terms import RiskFigure


@fact
class Verdict:
    """reason is NONE where every check passed; text names rule, level, limit and measured value."""

    figures: tuple[RiskFigure, ...] = ()
    reason: Reason = Reason.NONE
    text: str = ""
