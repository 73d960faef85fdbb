"""The FIX edge: the only package that imports quickfix."""
