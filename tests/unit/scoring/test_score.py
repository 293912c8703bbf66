"""postprocess.py: scores in all formats, label files, and mistakes in one line."""

import csv
import json
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.project import PROJECT

from src.classification import metrics as evaluator
from src.classification.predict import top_classes
from src.config import ScoreConfig
from src.errors import UserError
from src.scoring.results import COLUMNS, best_classes
from src.scoring.score import score_results

NAMES = ["ant", "bee", "cat", "dog", "elk", "fox"]


@pytest.fixture
def data(tmp_path):
    """A folder of DATA/CLASS/0.jpg and 1.jpg for six classes; scoring never opens the images."""
    for name in NAMES:
        (tmp_path / "data" / name).mkdir(parents=True)
        for index in range(2):
            (tmp_path / "data" / name / f"{index}.jpg").touch()
    return tmp_path / "data"


def images(data):
    return sorted(str(path) for path in data.rglob("*.jpg"))


def labels(data):
    return np.array([NAMES.index(path.split("/")[-2]) for path in images(data)])


def found(logits):
    return top_classes(np.asarray(logits, np.float64), NAMES, 5)


def write_json(path, results):
    """Write results as JSON. `results` holds the logits of each image, or the text of an error."""
    entries = [
        {"image": image} | ({"error": result} if isinstance(result, str) else {"top": found(result)})
        for image, result in results.items()
    ]
    path.write_text(json.dumps(entries))
    return path


def write_csv(path, results):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for image, result in results.items():
            if isinstance(result, str):
                writer.writerow([image, "", "", "", "", result])
                continue
            for rank, entry in enumerate(found(result), 1):
                writer.writerow([image, rank, entry["index"], entry["class"], entry["probability"], ""])
    return path


def write_bins(folder, results, name=lambda image: "/".join(image.split("/")[-2:])[:-4]):
    for image, result in results.items():
        if not isinstance(result, str):
            target = folder / f"{name(image)}_0.bin"
            target.parent.mkdir(parents=True, exist_ok=True)
            np.asarray(result, "<f4").tofile(target)
    return folder


def score(**flags):
    return score_results(ScoreConfig(**{key: str(value) for key, value in flags.items()}))


def random_results(data, seed=0):
    logits = np.random.RandomState(seed).randn(12, 6).round(1).astype(np.float32)  # rounded: ties occur
    logits[np.arange(12), labels(data)] += 1
    return dict(zip(images(data), logits))


@given(seed=st.integers(0, 2**32 - 1), lost=st.sets(st.integers(0, 11)))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_all_formats_score_as_evaluation_does_and_lost_images_are_wrong(data, tmp_path_factory, seed, lost):
    folder, results = tmp_path_factory.mktemp("results"), random_results(data, seed)
    place, _ = evaluator.score(np.stack(list(results.values())), labels(data))
    place[list(lost)] = 99
    for index in lost:
        results[images(data)[index]] = "damaged JPEG"
    expected = (12, 100 * (place < 1).sum() / 12, 100 * (place < 5).sum() / 12, len(lost))
    paths = [write_json(folder / "r.json", results), write_csv(folder / "r.csv", results)]
    if len(lost) < 12:
        paths.append(write_bins(folder / "bins", results))
    for path in paths:
        result = score(results=path, data_path=data)
        assert (result.images, result.top1, result.top5, result.missing) == expected, path


@given(logits=st.lists(st.integers(-3, 3), min_size=2, max_size=8), count=st.just(5))
def test_best_classes_are_those_of_prediction(logits, count):
    expected = [entry["index"] for entry in top_classes(np.array(logits, np.float64), [""] * len(logits), count)]
    assert list(best_classes(np.array(logits, np.float32))) == expected


def test_images_without_a_line_are_named_and_a_probability_that_is_not_a_number_is_no_result(data, tmp_path, capsys):
    results = random_results(data)
    del results[images(data)[3]]
    path = write_json(tmp_path / "r.json", results)
    entries = json.loads(path.read_text())
    for entry in entries[0]["top"]:
        entry["probability"] = None  # so the program writes nan
    path.write_text(json.dumps(entries))
    assert score(results=path, data_path=data).missing == 2
    assert "no result for ant/0.jpg, bee/1.jpg\n" in capsys.readouterr().out
    text = write_csv(tmp_path / "r.csv", results).read_text()
    (tmp_path / "r.csv").write_text(re.sub(r"0\.\d+,$", "-nan,", text, count=1, flags=re.MULTILINE))
    assert score(results=tmp_path / "r.csv", data_path=data).missing == 2
    bins = write_bins(tmp_path / "bins", results | {images(data)[0]: [1, np.nan, 0, 0, 0, 0]})
    assert score(results=bins, data_path=data).missing == 2


def test_the_last_line_is_json(data, tmp_path, capsys):
    path = write_json(tmp_path / "r.json", {image: np.eye(6)[i // 2] for i, image in enumerate(images(data))})
    score_results(ScoreConfig(results=path, data_path=str(data), json=True))
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2] == "12 images, top-1 100.000 %, top-5 100.000 %, 0 without result"
    assert json.loads(lines[-1]) == {"images": 12, "top1": 100, "top5": 100, "missing": 0}


def test_a_folder_above_or_a_part_of_the_data_may_have_been_run(data, tmp_path):
    results = random_results(data)
    part = {image: logits for image, logits in results.items() if "/cat/" in image}
    for names in (lambda image: image, lambda image: "/mnt/elsewhere/" + "/".join(image.split("/")[-2:])):
        path = write_json(tmp_path / "r.json", {names(image): logits for image, logits in part.items()})
        assert score(results=path, data_path=data).missing == 10
    (tmp_path / "both").mkdir()
    data.rename(tmp_path / "both" / "val")
    assert score(results=path, data_path=tmp_path / "both").missing == 10


@pytest.mark.parametrize("cut", [lambda name: name.rpartition(".")[0], lambda name: name.split(".")[0]])
def test_flat_files_of_older_programs(tmp_path, cut):
    names = ["a.b.jpg", "c.JPEG", "d.png"]
    (tmp_path / "imagenet_label.json").write_text(json.dumps({"a.b.jpg": 0, "c.JPEG": 1, "d.png": 2}))
    write_bins(tmp_path / "result_Files", dict(zip(names, np.eye(6))), cut)
    result = score(results=tmp_path / "result_Files", label_file=tmp_path / "imagenet_label.json")
    assert (result.images, result.top1, result.missing) == (3, 100, 0)


def test_names_that_differ_by_suffix_alone(data, tmp_path):
    (data / "ant" / "0.png").touch()
    results = random_results(data)
    bins = write_bins(tmp_path / "bins", results)
    with pytest.raises(UserError, match="result ant/0 may be the result of ant/0.jpg or ant/0.png; use --format json"):
        score(results=bins, data_path=data)
    np.zeros(6, "<f4").tofile(bins / "ant" / "0.png_0.bin")  # as the program names the second
    expected = score(results=write_json(tmp_path / "r.json", results), data_path=data).top5
    zeros_are_right = 100 / 13  # of equal logits the lower class leads, and the class is 0
    assert score(results=bins, data_path=data).top5 == pytest.approx(expected + zeros_are_right)
    (bins / "ant" / "0_0.bin").rename(bins / "ant" / "0.jpg_0.bin")
    assert score(results=bins, data_path=data).missing == 0


def test_equal_names_in_flat_files_are_refused(data, tmp_path):
    bins = write_bins(tmp_path / "bins", random_results(data), lambda image: image.split("/")[-1][:-4])
    with pytest.raises(UserError, match="result 0 may be the result of ant/0.jpg or bee/0.jpg"):
        score(results=bins, data_path=data)


@pytest.mark.parametrize("size", [5, 1001])
def test_files_of_another_network_are_refused(data, tmp_path, size):
    bins = write_bins(tmp_path / "bins", {image: np.zeros(size) for image in images(data)})
    with pytest.raises(UserError, match=f"holds {4 * size} bytes, {size} float32 values; expected 6, one per class"):
        score(results=bins, data_path=data)


def test_label_files(data, tmp_path):
    results = random_results(data)
    path = write_json(tmp_path / "r.json", results)
    expected = score(results=path, data_path=data)
    description = tmp_path / "net.json"
    description.write_text(json.dumps({"classes": NAMES, "num_classes": 6}))
    relative = ["/".join(image.split("/")[-2:]) for image in images(data)]
    (tmp_path / "index.txt").write_text("".join(f"./{name} {NAMES.index(name[:3])}\n" for name in relative))
    (tmp_path / "name.txt").write_text("\n".join(f"{name}\t{name[:3]}" for name in relative))
    (tmp_path / "both.json").write_text(json.dumps({name: name[:3] for name in relative}))
    for name in ("index.txt", "name.txt", "both.json"):
        assert score(results=path, label_file=tmp_path / name, description=description) == expected
    assert score(results=path, label_file=tmp_path / "index.txt") == expected


def swapped(data, results):
    """Return the results of a network that numbers the same classes differently."""
    entries = json.loads(write_json(data.parent / "swapped.json", results).read_text())
    for entry in entries:
        for predicted in entry["top"]:
            predicted["class"] = NAMES[::-1][predicted["index"]]
    return entries


@pytest.mark.parametrize(
    "content, words",
    [
        ("{}", "is not what tinynet_infer writes: "),
        ('[{"image": "a"', "Invalid JSON"),
        ('[{"image": "a", "top": [{"class": "x", "index": -1, "probability": 1}]}]', "[0].top[0].index is"),
        (lambda data, r: [{"image": "dog/7.jpg"}], "a result is for dog/7.jpg, which is not in"),
        (lambda data, r: [{"image": "dog/1.jpg"}] * 2, "two results for dog/1.jpg"),
        (lambda data, r: [{"image": "dog/1.jpg", "top": found(np.eye(6)[0])[:3]}], "lists 3 classes of dog/1.jpg"),
        (swapped, "the results call class 0 'fox', "),
    ],
)
def test_bad_json_is_one_line(data, tmp_path, content, words):
    text = content if isinstance(content, str) else json.dumps(content(data, random_results(data)))
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(UserError, match=re.escape(words)) as caught:
        score(results=tmp_path / "r.json", data_path=data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content, words",
    [
        ("image,class\n", "the first line is not image,rank"),
        (f"{','.join(COLUMNS)}\ndog/1.jpg,2,0,ant,1,\n", "rank 2 of dog/1.jpg does not follow the rank before"),
        (f"{','.join(COLUMNS)}\ndog/1.jpg,1\n", "does not have 6 fields"),
        (f"{','.join(COLUMNS)}\ndog/1.jpg,1,x,ant,1,\n", "[0].top[0].index is"),
    ],
)
def test_bad_csv_is_one_line(data, tmp_path, content, words):
    (tmp_path / "r.csv").write_text(content)
    with pytest.raises(UserError, match=re.escape(words)):
        score(results=tmp_path / "r.csv", data_path=data)


@pytest.mark.parametrize(
    "flags, words",
    [
        ({"data_path": "data"}, "results is missing"),
        ({"results": "r.json"}, "data_path or label_file: give one of them"),
        (
            {"results": "r.json", "data_path": "data", "label_file": "l.txt"},
            "data_path or label_file: give one of them",
        ),
        ({"results": "r.xml", "data_path": "data"}, "expected a .json or .csv file"),
        ({"results": "none.json", "data_path": "data"}, "cannot read the results none.json: No such file"),
        ({"results": "empty", "data_path": "data"}, "folder empty holds no results"),
        ({"results": "other", "data_path": "data"}, "expected NAME_0.bin"),
        ({"results": "r.json", "label_file": "none.txt"}, "cannot read the labels none.txt: No such file"),
        ({"results": "r.json", "label_file": "list.json"}, "list.json holds no labels"),
        ({"results": "r.json", "label_file": "empty.txt"}, "empty.txt holds no labels"),
        ({"results": "r.json", "label_file": "short.txt"}, "short.txt holds no labels"),
        ({"results": "r.json", "label_file": "root.txt"}, "root.txt holds no labels"),
        ({"results": "r.json", "label_file": "twice.txt"}, "names a.jpg twice"),
        ({"results": "r.json", "label_file": "name.txt"}, "'ant' is neither a class index nor the name of a class"),
        (
            {"results": "r.json", "label_file": "large.txt", "description": "net.json"},
            "a.jpg has label 6, the model has",
        ),
        ({"results": "r.json", "data_path": "data", "description": "other.json"}, "other classes than other.json"),
        ({"results": "r.json", "data_path": "data", "description": "none.json"}, "cannot read the description none"),
        ({"results": "r.json", "data_path": "data", "description": "list.json"}, "list.json does not describe a model"),
        ({"results": "r.json", "data_path": "data", "description": "count.json"}, "6 classes, count.json has 10"),
    ],
)
def test_mistakes_are_one_line(data, tmp_path, monkeypatch, flags, words):
    monkeypatch.chdir(tmp_path)
    write_json(tmp_path / "r.json", random_results(data))
    for folder in ("empty", "other"):
        (tmp_path / folder).mkdir()
    for name, content in {
        "other/a_1.bin": "",
        "list.json": "[]",
        "empty.txt": "",
        "short.txt": "a.jpg\n",
        "root.txt": "/ 1\n",
        "twice.txt": "a.jpg 1\n./a.jpg 1\n",
        "name.txt": "a.jpg ant\n",
        "large.txt": "a.jpg 6\n",
        "net.json": json.dumps({"classes": NAMES, "num_classes": 6}),
        "other.json": json.dumps({"classes": [*NAMES[1:], "gnu"], "num_classes": 6}),
        "count.json": json.dumps({"classes": [], "num_classes": 10}),
    }.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=re.escape(words)) as caught:
        score(**flags)
    assert "\n" not in str(caught.value)


def test_scoring_needs_no_mindspore(data, tmp_path):
    path = write_json(tmp_path / "r.json", random_results(data))
    program = (
        "import sys; sys.modules['mindspore'] = None\n"  # importing it fails from here on
        "import src.cli, src.config, src.errors, src.images.digits, postprocess\n"
        f"sys.argv[1:] = ['--results', {str(path)!r}, '--data_path', {str(data)!r}]\n"
        "sys.exit(src.cli.run(src.config.ScoreConfig, postprocess.postprocess, ''))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith("12 images, top-1"), done.stderr
