"""Export: verified files for Ascend and other runtimes, and settings for Ascend's converters.

May import: `classification` and everything below it.
"""
