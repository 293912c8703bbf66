"""The README's commands, as printed. What needs ImageNet or its weights must miss exactly that, and nothing else."""

import re
import shlex

import pytest
from support.project import PROJECT

MISSING = {"$IMAGENET": "/no/imagenet", "$WEIGHTS": "/no/weights"}
RUN_ELSEWHERE = ("bash scripts/quickstart.sh", "bash scripts/run_tests.sh")  # the fixture below; what runs this test


def commands(name="README.md"):
    blocks = re.findall(r"```bash\n(.*?)```", (PROJECT / name).read_text(encoding="utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


def test_both_languages_print_the_same_commands():
    assert commands("README_CN.md") == commands()
    assert all(command in commands() for command in RUN_ELSEWHERE)


def test_every_configuration_and_script_is_mentioned_or_follows_from_one():
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    for script in (PROJECT / "scripts").glob("[!c]*.sh"):
        assert script.name in text, script.name
    for file in sorted(PROJECT.glob("*.py")):
        assert file.name in text or file.name == "mindspore_hub_conf.py", file.name


@pytest.mark.parametrize("command", [command for command in commands() if command not in RUN_ELSEWHERE])
def test_command(quickstart, image_folder, command):
    workspace, _ = quickstart
    missing = [path for variable, path in MISSING.items() if variable in command]
    for variable, path in (MISSING | {"$MY_IMAGES": str(image_folder)}).items():
        command = command.replace(variable, path)
    if missing:
        done = workspace.run(*shlex.split(command), status=2)
        errors = [line for line in done.stderr.splitlines() if line.startswith("error:")]
        assert len(errors) == 1 and any(path in errors[0] for path in missing)
    else:
        workspace.run(*shlex.split(command))
