"""Analysis of the results of a study: fronts, correlations, error distributions and the fitted formula.

May import `src/design`, `src/runtime` and below. Nothing here trains, draws pictures or imports MindSpore.
"""
