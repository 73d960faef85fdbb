"""A drop copy's session: ExecutionReports come in; nothing goes out but what FIX answers itself.

What the core decides of them is in `ems.drop_copy`. It has no message for such a session; should
one ever be made, it stops here.
"""

from typing import Final

from oms.domain.fix import MsgType

# Besides the session layer's own messages: what a message that cannot be read is answered with.
MAY_LEAVE: Final = frozenset({MsgType.REJECT.value, MsgType.BUSINESS_MESSAGE_REJECT.value})

# What is read; anything else, market data too, is answered by a BusinessMessageReject (j).
MAY_COME: Final = frozenset({MsgType.EXECUTION_REPORT.value, *MAY_LEAVE})
