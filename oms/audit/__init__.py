"""Proof and evidence: verification of the journal and of what is derived from it."""
