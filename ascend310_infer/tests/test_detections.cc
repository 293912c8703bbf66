// Objects from boxes and scores. The expected ones come from src/detection/postprocess.py for the same numbers.
#include <cmath>
#include <tuple>

#include "detections.h"
#include "helpers.h"

namespace tinynet {
namespace {

constexpr int kAnchors = 10, kClasses = 3;
constexpr float kBoxes[4 * kAnchors] = {
    3.0f,  3.0f, 21.0f, 13.5f, 3.5f,  3.5f,  21.5f,  14.0f, 9.75f,  3.0f,  13.5f,      24.0f,      12.75f, 1.5f,
    15.0f, 4.5f, 3.0f,  3.0f,  21.0f, 13.5f, 3.0f,   9.0f,  22.5f,  13.5f, 3.3000002f, 9.9000006f, 24.75f, 14.85f,
    8.25f, 3.0f, 22.5f, 21.0f, 6.0f,  12.0f, 12.75f, 18.0f, 20.25f, 13.5f, 24.75f,     21.0f};
constexpr float kScores[(kClasses + 1) * kAnchors] = {
    0.44f, 0.44f, 0.06f, 0.06f, 0.12f, 0.24f, 0.41f, 0.24f, 0.33f, 0.12f, 0.33f, 0.21f, 0.3f, 0.1f,
    0.25f, 0.35f, 0.3f,  0.3f,  0.35f, 0.04f, 0.37f, 0.21f, 0.32f, 0.11f, 0.0f,  0.0f,  0.5f, 0.5f,
    0.25f, 0.38f, 0.25f, 0.12f, 0.5f,  0.43f, 0.0f,  0.07f, 0.23f, 0.36f, 0.36f, 0.05f};
const Rule kDefault{0.01, 300, 0.55, 100};

using Row = std::tuple<float, int>;  // score, class

std::vector<Row> rows(const std::vector<Detection>& found) {
  std::vector<Row> rows;
  for (const Detection& it : found) rows.emplace_back(it.score, it.index);
  return rows;
}

std::vector<Detection> of_example(const Rule& rule) { return detect(kBoxes, kScores, kAnchors, kClasses, rule); }

TEST(Detections, ObjectsAsInPython) {
  const std::vector<Row> expected{{0.5f, 1},  {0.5f, 2},  {0.44f, 0}, {0.43f, 0}, {0.41f, 1}, {0.38f, 0}, {0.36f, 0},
                                  {0.36f, 1}, {0.35f, 2}, {0.33f, 1}, {0.25f, 1}, {0.25f, 1}, {0.24f, 2}, {0.21f, 2},
                                  {0.21f, 0}, {0.12f, 0}, {0.12f, 2}, {0.1f, 0},  {0.07f, 2}, {0.05f, 2}};
  EXPECT_EQ(rows(of_example(kDefault)), expected);
}

TEST(Detections, EachNumberOfTheRuleCounts) {
  const std::vector<Row> all{{0.5f, 1}, {0.5f, 2}, {0.44f, 0}, {0.43f, 0}};
  EXPECT_EQ(rows(of_example({0.2, 8, 0.3, 4})), all);
  EXPECT_EQ(rows(of_example({0.2, 3, 0.3, 4})), std::vector<Row>(all.begin(), all.begin() + 3));
  EXPECT_EQ(rows(of_example({0.2, 8, 0.3, 2})), std::vector<Row>(all.begin(), all.begin() + 2));
  EXPECT_EQ(of_example({0.5, 8, 0.3, 4}).size(), 0u);   // the score must be above
  EXPECT_EQ(of_example({0, 300, 1, 300}).size(), 28u);  // all scores above 0
}

TEST(Detections, OfEqualScoresTheLowerAnchorAndClassComeFirst) {
  const float boxes[] = {0, 0, 4, 4, 10, 10, 14, 14}, scores[] = {0.5f, 0.25f, 0.25f, 0.5f, 0.25f, 0.25f};
  const std::vector<Detection> found = detect(boxes, scores, 2, 2, {0.01, 3, 0.5, 9});
  EXPECT_EQ(rows(found), (std::vector<Row>{{0.25f, 0}, {0.25f, 1}, {0.25f, 0}}));
  EXPECT_EQ(found[1].box.x1, 0);
  EXPECT_EQ(found[2].box.x1, 10);
}

TEST(Detections, BoxesWithoutAreaSuppressNothing) {
  const float boxes[] = {1, 1, 1, 1, 1, 1, 1, 1}, scores[] = {0.5f, 0.5f, 0.5f, 0.5f};
  EXPECT_EQ(detect(boxes, scores, 2, 1, kDefault).size(), 2u);
}

TEST(Detections, WhatIsNoNumberIsNoObject) {
  const float nan = std::nanf(""), boxes[] = {nan, 0, 4, 4, 0, 0, 4, 4, 0, 0, 4, 4};
  const float scores[] = {0, 0.9f, 0, nan, 0, 0.5f};
  EXPECT_EQ(rows(detect(boxes, scores, 3, 1, kDefault)), (std::vector<Row>{{0.9f, 0}, {0.5f, 0}}));
}

TEST(Detections, BoxesReturnToTheImageAsInPython) {
  const Box box = scaled(of_example(kDefault)[0].box, 32, 500, 375);
  EXPECT_EQ(box.x1, 0x1.9c8002p+5f);
  EXPECT_EQ(box.y1, 0x1.d01002p+6f);
  EXPECT_EQ(box.x2, 0x1.82b8p+8f);
  EXPECT_EQ(box.y2, 0x1.5c0cp+7f);
}

TEST(Detections, BoxesAreCutAtTheImage) {
  const Box box = scaled({-3, 1, 9, 8.5f}, 8, 16, 24);
  EXPECT_EQ(box.x1, 0);
  EXPECT_EQ(box.y1, 3);
  EXPECT_EQ(box.x2, 16);
  EXPECT_EQ(box.y2, 24);
}

TEST(Detections, TheRuleIsPrintedAsInPython) {
  EXPECT_EQ(
      kDefault.text(),
      "score > 0.01, best 300 pairs of anchor and class of an image, NMS of IoU 0.55 within a class, 100 objects");
}

}  // namespace
}  // namespace tinynet
