"""From image files to pixels: listing, checks, converted sets, caching, augmentation, evaluation crops.

May import: `errors`, `runtime`, `config`.
"""
