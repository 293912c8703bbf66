"""The format of a weight file by its content, whatever its name; what is no weight file is named."""

from __future__ import annotations

import codecs
import re
import zipfile
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

from src.errors import UserError

Format = Literal["mindspore", "safetensors", "pytorch"]

HEAD_SIZE = 4096  # bytes that are enough to recognize a file
EXPECTED = "expected a MindSpore checkpoint, a safetensors file, or a file of PyTorch's torch.save"
GRAPH = "give the weights that it was exported from"
UNPACK = "unpack it, and give the file of weights in it"
FETCH = "fetch the file of weights itself"
ZIP = b"PK\x03\x04"
ROOT_PICKLE = "data.pkl"  # the object in an archive of torch.save

VARINT = rb"[\x80-\xff]*[\x00-\x7f]"  # a number of protobuf
NAME = rb"\n" + VARINT + rb"[^\x00-\x1f]+"  # field 1, a text

STARTS: dict[Format, bytes] = {  # regular expressions for the first bytes of a file
    # Protobuf `Checkpoint`: a record, its name, and a tensor that begins with its shape, its type or its values.
    "mindspore": rb"\n" + VARINT + NAME + rb"\x12" + VARINT + rb"[\x08\x12\x1a]",
    # The size of the header in 8 bytes, which is below 100 MB, and its JSON.
    "safetensors": rb".{4}\x00{4}\{",
    # The magic number 0x1950a86a20f9469cfc6c as a pickle: torch.save before PyTorch 1.6.
    "pytorch": rb"\x80[\x02-\x05](\x95.{8})?\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19\.",
}


class Foreign(NamedTuple):
    """A kind of file that holds no weights which this project reads: its first bytes, its name, and what to do."""

    start: bytes
    kind: str
    advice: str


FOREIGN = (
    Foreign(rb"version https://git-lfs", "a pointer of git LFS in place of the weights", "`git lfs pull` fetches them"),
    Foreign(rb"(\xef\xbb\xbf)?\s*<(?i:!doctype html|html|head|body|script)", "a web page", FETCH),
    Foreign(rb"(\xef\xbb\xbf)?\s*<[?!\w]", "an XML text, such as the answer of a server", FETCH),
    Foreign(
        rb'\s*\{.*"weight_map"',
        "the index of weights that are split into several files",
        "join them in one file, and give that",
    ),
    Foreign(rb".{257}ustar", "a tar archive", UNPACK),
    Foreign(rb"\x1f\x8b", "a gzip archive", UNPACK),
    Foreign(rb"BZh[1-9]", "a bzip2 archive", UNPACK),
    Foreign(rb"\xfd7zXZ\x00", "an xz archive", UNPACK),
    Foreign(rb"\x28\xb5\x2f\xfd", "a zstd archive", UNPACK),
    Foreign(rb"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    Foreign(rb"Rar!\x1a\x07", "a RAR archive", UNPACK),
    Foreign(rb"PK\x05\x06", "an empty zip archive", EXPECTED),
    Foreign(rb"\x89HDF\r\n\x1a\n", "an HDF5 file, such as Keras writes", EXPECTED),
    Foreign(rb"\x93NUMPY", "a NumPy array", EXPECTED),
    Foreign(rb"GGUF", "a GGUF file", EXPECTED),
    Foreign(rb"[\xd8\xd9]\x5e\x3a\x7f", "an encrypted MindSpore checkpoint", "save it without enc_key"),
    Foreign(rb"\n.[\d.]+\x12\x09MindSpore", "a MindIR graph", GRAPH),
    Foreign(rb"\x08[\x03-\x20](\x12.[ -~]|[\x1a\x22\x28\x32\x3a\x42])", "an ONNX graph", GRAPH),
    Foreign(rb".{4}TFL3", "a TensorFlow Lite graph", GRAPH),
    Foreign(rb".{4}MSL\d", "a MindSpore Lite graph", GRAPH),
    Foreign(rb"IMOD", "an offline model of Ascend (.om)", GRAPH),
    Foreign(rb"\x08\x01\x12|\n" + VARINT + NAME + rb"\x12[\x00-\x7f][A-Z]\w", "a TensorFlow graph", EXPECTED),
    Foreign(
        rb"\x80[\x02-\x05]",
        "a pickle that torch.save did not write",
        "load it with the program that wrote it, and save a state dict with torch.save",
    ),
    Foreign(rb"\x00{64}", "filled with zeros at its start, as after an interrupted download", "fetch it again"),
)


def format_of(path: Path) -> Format:
    """Return the format of a weight file.

    Raises:
        UserError: the file cannot be read, or has another format, which the line names.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD_SIZE)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None
    if head.startswith(ZIP):
        _check_zip(path)
        return "pytorch"
    for name in STARTS:
        if begins_as(name, head):
            return name
    for foreign in FOREIGN:
        if re.match(foreign.start, head, re.DOTALL):
            raise UserError(f"{path} is {foreign.kind}; {foreign.advice}")
    kind = "is a text" if _is_text(head) else "is of no format that this project knows"
    raise UserError(f"{path} {kind}; {EXPECTED}")


def begins_as(name: Format, content: bytes) -> bool:
    """Return whether a file with this content begins as one of a format."""
    return re.match(STARTS[name], content[:HEAD_SIZE], re.DOTALL) is not None


def root_pickles(names: list[str]) -> list[str]:
    """Return the files of a zip archive that hold its object; an archive of torch.save has one."""
    return [name for name in names if PurePosixPath(name).name == ROOT_PICKLE]


def _check_zip(path: Path) -> None:
    """Raise an error that names what a zip archive holds, unless it is one of torch.save."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            is_encrypted = any(entry.flag_bits & 1 for entry in archive.infolist())
    except Exception:  # a damaged directory raises errors of any kind
        raise UserError(f"{path} is damaged: it begins as a zip archive and breaks off; fetch it again") from None
    last_parts = {PurePosixPath(name).name for name in names}
    if "constants.pkl" in last_parts:
        raise UserError(f"{path} is a program of TorchScript; save the state_dict() of its module with torch.save")
    if {"archive_format", "model.json"} <= last_parts:
        raise UserError(f"{path} is a program of torch.export; save the state_dict() of its module with torch.save")
    if len(root_pickles(names)) == 1 and not is_encrypted:
        return
    if names and all(name.endswith(".npy") for name in names):
        raise UserError(f"{path} holds NumPy's arrays (.npz); {EXPECTED}")
    if "model.weights.h5" in last_parts:
        raise UserError(f"{path} is a model of Keras; {EXPECTED}")
    inside = f" that holds {names[0]}" if names else ""
    raise UserError(f"{path} is {'an encrypted' if is_encrypted else 'a'} zip archive{inside}; {UNPACK}")


def _is_text(head: bytes) -> bool:
    """Return whether bytes are UTF-8 without control characters; the last character may be cut off."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return all(letter.isprintable() or letter in "\t\r\n\f\ufeff" for letter in text)
