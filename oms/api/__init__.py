"""REST under /v1: a router per noun over the read tables; commands reach the core by the inbox."""
