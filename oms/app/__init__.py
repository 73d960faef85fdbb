"""The composition root: builds every object of a process once, top to bottom."""
