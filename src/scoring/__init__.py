"""Scores of the predictions of the C++ program (postprocess.py).

May import: `errors`, `config`, `images`, `design`, and the files of `detection` that score. Nothing here imports a
framework.
"""
