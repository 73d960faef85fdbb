"""`oms demo`: the whole product on one machine: trade, kill, recover, reconcile, prove."""
