"""The whole server in one process under one seed, with the world around it simulated.

Real: deciding, folding, routing, the sequencer, the journal's entries and chain, recovery, decode,
encode and the FIX edge. Simulated: the clock, the database, the FIX engine and its network,
clients, venues and operators (see `world`). `checkers` know what must be true whatever happens.
"""
