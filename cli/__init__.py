"""The command `keyresults`. Subcommands import late, so that `--help` and `status` start at once.

Every room may be imported here; none may import this one. What a command decides lives below, here it is only asked
for and printed.
"""
