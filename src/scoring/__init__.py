"""Scores of what the C++ program found (postprocess.py).

May import: `errors`, `config`, `images`. Nothing here imports a framework.
"""
