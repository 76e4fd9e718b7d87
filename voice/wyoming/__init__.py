"""Backtalk as a Wyoming service: hearing, answers and a voice for Home Assistant and other programs on the network."""
