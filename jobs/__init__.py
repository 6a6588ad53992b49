"""What runs: collect, backfill, evaluate, record.

Clock, store and network meet here, and nowhere else.
"""
