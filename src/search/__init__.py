"""The commands of search.py: cost tables, networks for a budget, published results, studies and their reports.

`study` runs many trainings, `methods` proposes them, `analysis` says what their results mean, `report` shows it.

May import everything below it; only `latency` imports MindSpore.
"""
