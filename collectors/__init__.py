"""Where facts come from: the sources' readers, what they all agree on, and how they speak HTTP.

A collector reads its source and nothing else: it never sees the store and computes no metric.
Only `metrics` may be imported here; client libraries are imported inside functions.
"""
