"""Export: graphs for Ascend and other runtimes, verified by running them, and files for Ascend's converters.

May import: `classification` and everything below it.
"""
