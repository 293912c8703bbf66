"""search.py table: the table is printed, or written into documents."""

import pytest

from src.config import TableConfig
from src.errors import UserError
from src.search.models_table import ALL_NETWORKS, END, show_models


def test_the_table_is_printed(capsys):
    show_models(TableConfig())
    assert capsys.readouterr().out == ALL_NETWORKS.markdown() + "\n"


def test_the_table_is_written_into_documents(capsys, tmp_path):
    files = tmp_path / "a.md", tmp_path / "b_CN.md"
    for file in files:
        file.write_text(f"{ALL_NETWORKS.begin}{END}")
    show_models(TableConfig(write=True, files=files))
    assert capsys.readouterr().out == ""
    assert ALL_NETWORKS.markdown() in files[0].read_text()
    assert ALL_NETWORKS.markdown(chinese=True) in files[1].read_text()


@pytest.mark.parametrize("options", [{"write": True}, {"files": ("a.md",)}])
def test_write_and_files_belong_together(options):
    with pytest.raises(UserError, match="--write and files belong together"):
        show_models(TableConfig(**options))
