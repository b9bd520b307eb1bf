"""Kernels as plain loops, which numba compiles; each is named as its NumPy version."""
