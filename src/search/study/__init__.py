"""A study: many trainings of networks that a method of search proposes, run side by side, resumed after any end.

Knows no method and no network of its own. `methods/` proposes trials; this package runs them and keeps their results.
"""
