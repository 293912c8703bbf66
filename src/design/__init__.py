"""Networks as data: what they are and what they cost. Nothing here imports a framework."""
