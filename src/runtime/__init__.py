"""The machine: device, ranks, worker threads, files that are written whole, logs, MindSpore's versions.

May import: `errors`. `files`, `logs` and `workers` need no framework.
"""
