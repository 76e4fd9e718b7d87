"""Measurements run by hand or by CI: Backtalk beside its peers, and what its parts cost. Nothing here passes or fails by time."""
