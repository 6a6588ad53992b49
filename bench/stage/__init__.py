"""What the benchmarks share: made-up histories, and processes measured from outside."""
