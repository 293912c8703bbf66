"""README and documentation: their commands run as printed, their two languages agree, and the site builds."""

import re
import shlex

import pytest
from support.project import PROJECT

PAGES = ("README.md", *sorted(f"docs/en/{file.name}" for file in (PROJECT / "docs/en").glob("*.md")))
MISSING = {"$IMAGENET": "/no/imagenet", "$WEIGHTS": "/no/weights", "$COCO": "/no/coco"}
RUN_ELSEWHERE = (
    "bash scripts/quickstart.sh",  # the fixture `quickstart`
    "bash scripts/quickstart.sh detect",  # test_quickstart_detect.py
    "bash scripts/run_tests.sh",  # runs this test
    "bash scripts/build_docs.sh",  # the fixture `site`
)
LONG = (  # minutes of training or timing; tests/README.md says which short tests cover them
    "python train.py --config config/digits.yaml --run_dir runs/mine --epochs 1",
    "python train.py --config config/digits.yaml --run_dir runs/mine --epochs 1 --resume auto",
    "python train.py --config config/finetune.yaml --model tinynet_e --ckpt runs/quickstart/checkpoints/best.ckpt "
    "--data_path $MY_IMAGES --batch_size 4 --epochs 1 --run_dir runs/finetuned",
    "bash scripts/run_distribute_train.sh 2 digits config/digits.yaml --run_dir runs/two --epochs 1",
    "python detect.py train --config config/ssdlite_digits.yaml --ckpt runs/quickstart/checkpoints/best.ckpt "
    "--run_dir runs/detector",
    "python detect.py eval --ckpt runs/detector/checkpoints/best.ckpt --data_path digits "
    "--results runs/detections.json",
    "python detect.py predict --ckpt runs/detector/checkpoints/best.ckpt data/digit_scenes/val "
    "--draw runs/drawn --sheet runs/objects.png",
    "python detect.py export --ckpt runs/detector/checkpoints/best.ckpt --file_format ONNX --batch_size 0 "
    "--file_name runs/ssdlite",
    "python detect.py export --ckpt runs/detector/checkpoints/best.ckpt --file_format ONNX --precision int8 "
    "--calibration data/digit_scenes/train --data_path digits --file_name runs/ssdlite-int8",
    "bash scripts/run_infer_310.sh runs/ssdlite.onnx data/digit_scenes",
    "ascend310_infer/build/tinynet_infer data/digit_scenes/val --model_path runs/ssdlite.onnx --format json "
    "--output runs/edge-objects.json --draw runs/edge-drawn",
    "python postprocess.py --results runs/edge-objects.json --data_path digits --description runs/ssdlite.json --json",
    "python search.py formula --latency 20ms --base tinynet_a",
)


def in_chinese(page):
    return page.replace("docs/en/", "docs/zh/").replace("README.md", "README_CN.md")


def text_of(page):
    return (PROJECT / page).read_text(encoding="utf-8")


def commands(page):
    blocks = re.findall(r"```bash\n(.*?)```", text_of(page), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


def error_texts(page):
    """Return the first column of all tables of the troubleshooting page, split where `…` leaves something out."""
    cells = re.findall(r"^\| (`.*?) \|", text_of(page), re.MULTILINE)
    texts = [text for cell in cells for text in re.findall(r"`([^`]+)`", cell)]
    return [part.strip() for text in texts for part in text.split("…") if part.strip(" ,:")]


ALL_COMMANDS = list(dict.fromkeys(command for page in PAGES for command in commands(page)))  # each one once


@pytest.mark.parametrize("page", PAGES)
def test_both_languages_print_the_same_commands(page):
    assert commands(in_chinese(page)) == commands(page)


@pytest.mark.parametrize("page", PAGES)
def test_both_languages_quote_the_same_numbers(page):
    english, chinese = (sorted(re.findall(r"\d[\d,.]*\d|\d", text_of(name))) for name in (page, in_chinese(page)))
    assert chinese == english


def test_both_languages_have_the_same_pages():
    chinese = {f"docs/zh/{file.name}" for file in (PROJECT / "docs/zh").glob("*.md")}
    assert chinese == {in_chinese(page) for page in PAGES} - {"README_CN.md"}


@pytest.mark.parametrize("page", [*PAGES, *map(in_chinese, PAGES)])
def test_a_page_is_short(page):
    assert len(text_of(page).splitlines()) <= (150 if page.startswith("README") else 200)


@pytest.mark.parametrize("page", ["README.md", "README_CN.md"])
def test_the_readme_has_readable_lines(page):
    assert max(map(len, text_of(page).splitlines())) <= 130


def test_every_door_and_script_is_mentioned():
    text = "".join(map(text_of, PAGES))
    doors = [file.name for file in PROJECT.glob("*.py")]
    scripts = [file.name for file in (PROJECT / "scripts").glob("*.sh") if file.name != "common.sh"]
    assert [name for name in doors + scripts if name not in text] == []


@pytest.mark.parametrize("page", ["docs/en/house.md", "docs/zh/house.md", "docs/assets/house.svg"])
def test_every_room_is_described(page):
    rooms = [path.stem for path in (PROJECT / "src").iterdir() if not path.name.startswith("_")]
    assert [room for room in rooms if f"`{room}`" not in text_of(page) and f">{room}<" not in text_of(page)] == []


def test_the_commands_that_run_elsewhere_are_printed():
    assert set(RUN_ELSEWHERE) <= set(ALL_COMMANDS)


def test_the_error_texts_exist():
    """A text that the program no longer prints would not be found by whoever looks for it."""
    foreign = "A module that was compiled using NumPy 1.x cannot be run in NumPy 2"  # NumPy's own
    folders = ("src/**/*.py", "scripts/*.sh", "ascend310_infer/*.sh", "ascend310_infer/src/*.cc")
    files = [file for pattern in folders for file in PROJECT.glob(pattern)]
    source = "\n".join(file.read_text(encoding="utf-8") for file in files)
    source = re.sub(r'"[\s\\]*f?"', "", source)  # adjacent literals are one text
    missing = [text for text in error_texts("docs/en/troubleshooting.md") if text not in source and text != foreign]
    assert missing == []
    assert error_texts("docs/zh/troubleshooting.md") == error_texts("docs/en/troubleshooting.md")


@pytest.fixture(scope="module")
def site(workspace, tmp_path_factory):
    """The folder of the built site; the build fails on a broken link and on a missing page."""
    folder = tmp_path_factory.mktemp("site") / "a site"
    workspace.run("bash", "scripts/build_docs.sh", folder)
    return folder


@pytest.mark.parametrize("page", PAGES[1:])
def test_the_site_has_the_page_in_both_languages(site, page):
    name = page.removeprefix("docs/en/").replace(".md", ".html")
    assert (site / name).is_file() and (site / "zh" / name).is_file()


def test_the_site_loads_nothing_from_other_servers(site):
    loads = r'<(?:script|link|img|iframe)[^>]*(?:src|href)="?https?://[^">]+'
    found = [match for file in site.rglob("*.html") for match in re.findall(loads, file.read_text(encoding="utf-8"))]
    assert found == []


def runnable_commands():
    for command in ALL_COMMANDS:
        if command not in RUN_ELSEWHERE:
            yield pytest.param(command, marks=pytest.mark.long) if command in LONG else command


@pytest.fixture
def run_printed(quickstart, door):
    """Return a function that runs a command in the quick start's folder; Python scripts run in this process."""
    workspace, _ = quickstart

    def run(command, status=0):
        program, *words = shlex.split(command)
        if program == "python":
            return door(*words, cwd=workspace.folder, status=status)
        return workspace.run(program, *words, status=status)

    return run


@pytest.mark.parametrize("command", runnable_commands())
def test_command(run_printed, image_folder, command):
    """A command that needs ImageNet or its weights misses exactly that, and nothing else."""
    missing = [path for variable, path in MISSING.items() if variable in command]
    for variable, path in (MISSING | {"$MY_IMAGES": str(image_folder)}).items():
        command = command.replace(variable, path)
    if not missing:
        run_printed(command)
        return
    errors = [line for line in run_printed(command, status=2).stderr.splitlines() if line.startswith("error:")]
    assert len(errors) == 1 and any(path in errors[0] for path in missing)


def test_the_long_commands_are_printed():
    assert set(LONG) <= set(ALL_COMMANDS)
