"""The FIX order state change matrices over real FIX/TCP, from both ends: `oms conformance`."""
