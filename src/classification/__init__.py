"""Image classification: the task that train.py trains, its metrics, and what eval.py and predict.py do.

May import: `training` and everything below it.
"""
