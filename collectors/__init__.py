"""Where facts come from: one module per source, the contract, the registry and the one HTTP door.

A collector reads its source and nothing else: it never sees the store and computes no metric.
Only `metrics` may be imported here; client libraries are imported inside functions.
"""
