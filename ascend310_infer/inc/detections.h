// From the boxes and scores of all anchors to the objects of an image, bit for bit as src/detection/postprocess.py.
#pragma once

#include <string>
#include <vector>

namespace tinynet {

// The rule of post-processing. A candidate is a pair of an anchor and a class.
struct Rule {
  double min_score = 0;    // of a candidate; it must be above
  int candidates = 0;      // the best of an image, of all classes together
  double nms_overlap = 0;  // largest IoU of two objects of one class
  int max_objects = 0;     // of an image

  std::string text() const;  // as detect.py eval prints it
};

struct Box {
  float x1 = 0, y1 = 0, x2 = 0, y2 = 0;  // pixels
};

struct Detection {
  Box box;
  float score = 0;
  int index = 0;  // of the class, from 0, without the background
};

// Returns the objects of an image by falling score. Of equal scores, the lower anchor and then the lower class comes
// first. `boxes` holds x1, y1, x2, y2 of each anchor. `scores` holds classes + 1 numbers of each, the first of which is
// that of the background.
std::vector<Detection> detect(const float* boxes, const float* scores, int anchors, int classes, const Rule& rule);

// Returns the box in an image of width x height pixels, which was shown as size x size pixels. It lies in the image.
Box scaled(const Box& box, int size, int width, int height);

}  // namespace tinynet
