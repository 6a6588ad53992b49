"""What is kept: tables, the `Store`, migrations.

Gives and takes plain columns and values of `metrics` and `krs`; judges nothing.
"""
