"""Key results: objectives, targets, progress, status. Readings in, judgements out.

Pure: no clock, no network, no store. Only `metrics` may be imported here.
"""
