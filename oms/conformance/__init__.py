"""The FIX order state change matrices, played over real FIX/TCP from both ends; `oms conformance`."""
