"""The core process around the brain: sequencer, journal thread, recovery, clock, metrics."""
