"""Files of PyTorch's torch.save, without PyTorch: NumPy arrays become its tensors, and the rest is pickled as it is."""

import io
import pickle
import zipfile

import numpy as np

STORAGES = {
    "float64": "DoubleStorage", "float32": "FloatStorage", "float16": "HalfStorage", "bfloat16": "BFloat16Storage",
    "int64": "LongStorage", "int32": "IntStorage", "uint8": "ByteStorage", "bool": "BoolStorage",
}  # fmt: skip


class Name:
    """The name of a function or class, which a pickle holds without its code."""

    def __init__(self, module, name):
        self.opcode = f"c{module}\n{name}\n".encode()

    def __call__(self):
        raise NotImplementedError


class Call:
    """An object that is the result of a function."""

    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


REBUILD = Name("torch._utils", "_rebuild_tensor_v2")
REBUILD_SUBCLASS = Name("torch._tensor", "_rebuild_from_type_v2")


class Subclass:
    """A tensor of a class that is derived from PyTorch's, such as those of fastai."""

    def __init__(self, values):
        self.values = values


class Storage:
    """The numbers of one tensor."""

    def __init__(self, key, values):
        self.identity = "storage", Name("torch", STORAGES[values.dtype.name]), key, "cpu", values.size


class Pickler(pickle._Pickler):
    """Pickles NumPy's arrays as tensors, whose numbers it keeps in `arrays`."""

    def __init__(self, file):
        super().__init__(file, protocol=2)
        self.arrays = {}

    def persistent_id(self, value):
        return value.identity if isinstance(value, Storage) else None

    def reducer_override(self, value):
        if isinstance(value, Subclass):
            function, arguments = self.reducer_override(value.values)
            return REBUILD_SUBCLASS, (function, Name("fastai.torch_core", "TensorBase"), arguments, {})
        if not isinstance(value, np.ndarray):
            return NotImplemented
        key = str(len(self.arrays))
        self.arrays[key] = value
        strides = tuple(step // value.itemsize for step in np.empty(value.shape, value.dtype).strides)
        return REBUILD, (Storage(key, value), 0, value.shape, strides, False, {})

    def save_name(self, value):
        self.write(value.opcode)

    dispatch = pickle._Pickler.dispatch | {Name: save_name}


def torch_save(content, path, byte_order="little"):
    """Write nested dictionaries with NumPy's arrays as torch.save does, and return the path."""
    stream = io.BytesIO()
    pickler = Pickler(stream)
    pickler.dump(content)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", stream.getvalue())
        archive.writestr("archive/byteorder", byte_order)
        for key, value in pickler.arrays.items():
            stored = np.ascontiguousarray(value)
            stored = stored.byteswap() if byte_order == "big" else stored
            archive.writestr(f"archive/data/{key}", stored.tobytes())
        archive.writestr("archive/version", "3\n")
    return path
