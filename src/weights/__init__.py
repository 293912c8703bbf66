"""Weight files: formats, names of parameters in this project and in others, and loading into a network.

May import: `errors`, `runtime`, `design`, `networks`.
"""
