"""FIX sessions as the core decides about them: hours, resets, operators, lost clients. Pure."""
