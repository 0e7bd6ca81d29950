"""Benchmarks of the whole product over a running local stack; `tripdeck bench` prints what they measure."""
