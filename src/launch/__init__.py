"""Start one training on many devices, show its log, and leave no process behind.

May import: `errors`, `runtime`, `cli`, `config`. Nothing here imports MindSpore: the workers do.
"""
