"""Backtalk beside other programs: the same wordings to learn from, the same sentences and recordings to try, one run."""
