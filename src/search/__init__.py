"""The commands of search.py: cost tables and pictures, networks for a budget, comparisons and published results.

May import everything below it; only `latency` imports MindSpore.
"""
