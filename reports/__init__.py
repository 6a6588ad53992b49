"""What people read: the `ProgressReport` value and its renderers.

Pure: the same input gives the same bytes. Only `metrics` and `krs` may be imported here.
"""
