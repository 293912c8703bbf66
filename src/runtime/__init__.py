"""The machine: device, ranks, worker threads, atomic files, logs, differences between MindSpore versions.

May import: `errors`. `files`, `logs` and `workers` need no framework.
"""
