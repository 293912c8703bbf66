"""The project's own kernels for training and evaluation on a CPU: C++ sources, their build, and MindSpore operators.

`native/` holds the C++, `build.py` compiles it, `library.py` decides whether it is used, and `operators.py` makes
MindSpore operators of its functions. Cells have a plain form as well, which serves wherever the library does not.

May import: `errors`, `runtime`.
"""
