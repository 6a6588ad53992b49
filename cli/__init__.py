"""The command `keyresults`. Subcommands import late, so that `--help` and `status` start at once."""
