"""Objects found in images; a damaged one is named with what a detector's user can do."""

import pytest

from src.detection.finding import predict_anchors
from src.errors import UserError
from src.images.preprocess import Preprocess


def test_a_damaged_image_is_named_with_the_check_of_detectors(tmp_path):
    path = tmp_path / "bad.jpg"
    path.write_text("x")
    predictions = predict_anchors(None, [str(path)], Preprocess(32), 1, workers=1)
    with pytest.raises(UserError, match=r"1 bad file: .*bad.jpg: not an image; .* \(`--check_data full` decodes all"):
        next(predictions)
