"""The file `keyresults.toml`: its shape, its errors, its secrets (by reference only).

May import `metrics`, `krs` and `collectors`; never opens the store or the network.
"""
