"""Object detection: SSDLite on any backbone of the project, the task that detect.py trains, and its evaluation.

May import: `training` and everything below it.
"""
