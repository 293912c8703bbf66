"""The summary of the quick starts: accuracy, training, files and pictures, one line each."""

import json

import pytest

from scripts.quickstart_summary import summary


@pytest.fixture
def run(tmp_path):
    """Return a function that writes what a quick start leaves, with a score and differences of its files."""
    (tmp_path / "cpp").mkdir()

    def write(score, difference):
        (tmp_path / "eval.json").write_text(json.dumps(score))
        (tmp_path / "metrics.csv").write_text("epoch,seconds,images_per_second\n1,2.0,500\n2,3.0,400\n")
        files = {}
        for suffix in ("mindir", "onnx"):
            (tmp_path / f"net.{suffix}").write_bytes(bytes(20_000))
            files[f"net.{suffix}"] = {"largest_difference": difference}
        (tmp_path / "net.json").write_text(json.dumps({"files": files}))
        return summary(tmp_path, tmp_path / "net")

    return write


def test_a_classifier_has_its_accuracy_and_the_difference_of_its_logits(run):
    text = run({"top1": 98.765, "images": 360}, 2e-6)
    assert "98.77 % top-1 on 360 images" in text and "0.02 MB, logits within 2e-06: " in text
    assert "2 epochs in 5 s (without compilation), up to 500 images/s" in text and "C++" not in text


def test_a_detector_has_its_ap_that_of_the_program_and_both_differences(run, tmp_path):
    (tmp_path / "cpp/score.json").write_text('{"ap": 77.75}')
    text = run({"ap": 77.8, "ap50": 96.7, "images": 200}, {"boxes": 0.0, "scores": 3e-7})
    assert "AP 77.80 %, AP50 96.70 % on 200 scenes" in text and "boxes identical, scores within 3e-07: " in text
    assert "C++ program  AP 77.75 % with the ONNX file" in text


def test_a_program_that_was_not_built_is_said(run):
    assert "C++ program  not built" in run({"ap": 1.0, "ap50": 2.0, "images": 200}, {"boxes": 0.0})
