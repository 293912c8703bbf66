"""Scores of the predictions of the C++ program (postprocess.py).

May import: `errors`, `config`, `images`, `design`. Nothing here imports a framework.
"""
