"""What runs: collect, backfill, evaluate, record.

The only room that sees clock, store and network together.
"""
