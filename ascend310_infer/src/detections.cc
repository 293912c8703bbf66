// All arithmetic is in float32, in the order of the Python program, and without fused operations (CMakeLists.txt).
#include "detections.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

namespace tinynet {
namespace {

float area(const Box& box) { return (box.x2 - box.x1) * (box.y2 - box.y1); }

float intersection(const Box& a, const Box& b) {
  const float width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  const float height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  return std::max(width, 0.0f) * std::max(height, 0.0f);
}

// Returns the intersection over union; that of two boxes without area is 0.
float overlap(const Box& a, const Box& b) {
  const float common = intersection(a, b);
  const float united = area(a) + area(b) - common;
  return united > 0 ? common / united : 0;
}

// A candidate: its score, and its position among anchors x classes.
struct Candidate {
  float score;
  std::int64_t position;

  bool operator<(const Candidate& other) const {  // the better one comes first
    return score != other.score ? score > other.score : position < other.position;
  }
};

std::vector<Candidate> best_candidates(const float* scores, int anchors, int classes, const Rule& rule) {
  const auto least = static_cast<float>(rule.min_score);
  std::vector<Candidate> found;
  for (std::int64_t anchor = 0; anchor < anchors; ++anchor) {
    const float* row = scores + anchor * (classes + 1) + 1;
    for (int index = 0; index < classes; ++index) {
      if (row[index] > least) found.push_back({row[index], anchor * classes + index});
    }
  }
  const auto wanted = std::min<std::ptrdiff_t>(rule.candidates, static_cast<std::ptrdiff_t>(found.size()));
  std::partial_sort(found.begin(), found.begin() + wanted, found.end());
  found.resize(static_cast<std::size_t>(wanted));
  return found;
}

}  // namespace

std::string Rule::text() const {
  char line[160];
  std::snprintf(line, sizeof line,
                "score > %g, best %d pairs of anchor and class of an image, NMS of IoU %g within a class, %d objects",
                min_score, candidates, nms_overlap, max_objects);
  return line;
}

std::vector<Detection> detect(const float* boxes, const float* scores, int anchors, int classes, const Rule& rule) {
  const auto limit = static_cast<float>(rule.nms_overlap);
  std::vector<Detection> kept;
  for (const Candidate& candidate : best_candidates(scores, anchors, classes, rule)) {
    const float* corners = boxes + candidate.position / classes * 4;
    const Detection found{{corners[0], corners[1], corners[2], corners[3]},
                          candidate.score,
                          static_cast<int>(candidate.position % classes)};
    const bool is_rival = std::any_of(kept.begin(), kept.end(), [&](const Detection& better) {
      return better.index == found.index && overlap(better.box, found.box) > limit;
    });
    if (!is_rival) kept.push_back(found);
    if (static_cast<int>(kept.size()) == rule.max_objects) break;
  }
  return kept;
}

Box scaled(const Box& box, int size, int width, int height) {
  const auto in_image = [&](float value, int length) {
    const float scale = static_cast<float>(length) / static_cast<float>(size);
    return std::min(std::max(value * scale, 0.0f), static_cast<float>(length));
  };
  return {in_image(box.x1, width), in_image(box.y1, height), in_image(box.x2, width), in_image(box.y2, height)};
}

}  // namespace tinynet
