#include "helpers.h"
#include "progress.h"

namespace tinynet {
namespace {

TEST(Progress, AFileGetsNoProgressLine) {
  testing::internal::CaptureStderr();
  Progress progress(10);
  progress.update(5, 1);
  progress.update(10, 2);
  progress.clear();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace tinynet
