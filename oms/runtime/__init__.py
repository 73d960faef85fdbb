"""The core process around the brain: sequencer, line to the journal, recovery, clock, metrics."""
