"""Networks as data: their description, their exact cost, and the rules that make one network from another.

May import: `errors`, `runtime.files`. Nothing here imports a framework.
"""
