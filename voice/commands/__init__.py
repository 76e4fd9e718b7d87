"""One file a subcommand of `backtalk`."""
