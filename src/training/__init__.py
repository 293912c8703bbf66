"""Training: the recipe, one compiled step, the loop around it, and what a run leaves behind."""
