"""Measurements of the whole system: `python -m benchmarks`, one module each.

They use the product as its users do and hold no copy of its code. A benchmark is a module with
`NAME`, `DESCRIPTION` and `run(context) -> list[Figure]`.
"""
