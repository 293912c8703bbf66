"""Fixtures of export: a trained network, and files that are exported once for all tests that only read them."""

import pytest
from support.exporting import cut, export, export_detection, trained_checkpoint, trained_detector


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Return (network, folder of its w.ckpt): the first blocks of TinyNet-E, one of each kind, and its head."""
    folder = tmp_path_factory.mktemp("trained")
    return trained_checkpoint(folder, cut("tinynet_e", head=1280)), folder


@pytest.fixture(scope="session")
def detector(tmp_path_factory):
    """Return (network, folder of its w.ckpt): SSDLite on the first two of these blocks."""
    folder = tmp_path_factory.mktemp("detector")
    return trained_detector(folder, cut("tinynet_e", repeats=1)), folder


@pytest.fixture(scope="session")
def exported(trained, tmp_path_factory):
    """Return a function from format and flags to the file. Files of the same flags share a folder and a name."""
    return _once(export, trained[1], tmp_path_factory)


@pytest.fixture(scope="session")
def exported_detector(detector, tmp_path_factory):
    """Return the same function for the detector."""
    return _once(export_detection, detector[1], tmp_path_factory)


def _once(write, weights, tmp_path_factory):
    folders, files = {}, {}

    def file(file_format, flags=()):
        if flags not in folders:
            folders[flags] = tmp_path_factory.mktemp("exported")
        if (file_format, flags) not in files:
            name = folders[flags] / "a net"
            files[file_format, flags] = write(weights, "--file_format", file_format, *flags, "--file_name", name)
        return files[file_format, flags]

    return file
