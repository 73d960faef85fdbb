"""The language: enums, values, commands, events, effects; pure, standard library only."""
