"""Kernels: loops compiled by numba. No I/O, no SQL."""
