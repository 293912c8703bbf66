"""The MindSpore Cells that an `Architecture` is built from: layers, blocks, and one class for each family.

May import: `errors`, `design`, `kernels`.
"""
