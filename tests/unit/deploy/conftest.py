import pytest
from support.exporting import export, trained_checkpoint


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """(network, folder of its w.ckpt)"""
    folder = tmp_path_factory.mktemp("trained")
    return trained_checkpoint(folder), folder


@pytest.fixture(scope="session")
def exported(trained, tmp_path_factory):
    """A function from flags to the file that they give, which is written once for all tests that only read it."""
    files = {}

    def file(*flags):
        if flags not in files:
            files[flags] = export(trained[1], *flags, "--file_name", tmp_path_factory.mktemp("exported") / "a net")
        return files[flags]

    return file
