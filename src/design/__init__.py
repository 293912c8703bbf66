"""Networks as data: their description, their exact cost, and the rules that make a network from another network.

May import: `errors`, `runtime.files`. Nothing here imports a framework.
"""
