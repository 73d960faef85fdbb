"""What ends a process that runs FIX sessions."""


class EngineFault(RuntimeError):
    """A callback or QuickFIX itself failed: the process must stop, and recovers by its journal."""


class PortInUse(OSError):
    """The address to listen on is taken; the text names it."""
