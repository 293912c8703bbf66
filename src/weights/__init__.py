"""Weight files: formats, names of parameters, and loading into a network.

May import: `errors`, `runtime`, `networks`.
"""
