// The order of results, bounds, and failures of the pipeline, with a fake back end.
#include <png.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>

#include "helpers.h"
#include "pipeline.h"

namespace tinynet {
namespace {

// Value 0 is the first byte of the image; value 1 is the number of images in the call.
class FakeBackend : public Backend {
 public:
  FakeBackend(int batch, int concurrency, bool offloads = false)
      : batch_(batch), concurrency_(concurrency), offloads_(offloads) {}

  InputSpec input() const override { return {ElementType::kUInt8, 8, batch_}; }
  std::vector<Output> outputs() const override { return {{{2}, false}}; }
  int concurrency() const override { return concurrency_; }
  bool offloads() const override { return offloads_; }
  std::string name() const override { return "fake"; }

  void run(std::byte* images, int count, float* values) override {
    if (++calls == fails_at) throw UserError("told to fail");
    if (++running > concurrency_) too_many = true;
    std::this_thread::sleep_for(std::chrono::microseconds(200));
    for (int i = 0; i < count; ++i) {
      values[2 * i] = static_cast<float>(images[input().bytes_per_image() * i]);
      values[2 * i + 1] = static_cast<float>(count);
    }
    std::memset(images, 255, input().bytes_per_image() * batch_);  // a back end may overwrite its input
    --running;
  }

  int fails_at = 0;
  std::atomic<int> calls{0}, running{0};
  std::atomic<bool> too_many{false};

 private:
  int batch_, concurrency_;
  bool offloads_;
};

class PipelineTest : public testing::Test {
 protected:
  // Image i has the value i % 251. If `broken`, images 3, 13, 23, ... cannot be decoded.
  void make_images(int count, bool broken = false) {
    for (int i = 0; i < count; ++i) {
      const auto value = static_cast<std::uint8_t>(i % 251);
      const Bytes file = png(8, 8, PNG_COLOR_TYPE_GRAY, 8, Bytes(64, value));
      const std::string name = std::to_string(i);
      images_.push_back({broken && i % 10 == 3 ? folder_.write(name, "no image") : folder_.write(name, file), name});
    }
  }

  std::vector<Result> all(Backend& backend, int threads) {
    Pipeline pipeline(images_, description_, backend, threads);
    std::vector<Result> results;
    while (auto batch = pipeline.next()) {
      std::move(batch->begin(), batch->end(), std::back_inserter(results));
    }
    EXPECT_FALSE(pipeline.next());
    decoded_ = pipeline.stages().decode.count();
    inferred_ = pipeline.stages().infer.count();
    latencies_ = pipeline.stages().latency.count();
    return results;
  }

  Folder folder_;
  std::vector<ImageFile> images_;
  Description description_ = description(8, 8, 2);
  std::size_t decoded_ = 0, inferred_ = 0, latencies_ = 0;
};

TEST_F(PipelineTest, TheOrderIsKeptForAnyThreadsAndBatches) {
  make_images(67);
  for (const int threads : {1, 2, 5}) {
    for (const int batch : {1, 3, 8, 67, 100}) {
      for (const int concurrency : {1, 3}) {
        FakeBackend backend(batch, concurrency, concurrency == 1);
        const std::vector<Result> results = all(backend, threads);
        ASSERT_EQ(results.size(), 67u);
        for (std::size_t i = 0; i < results.size(); ++i) {
          ASSERT_EQ(results[i].index, i);
          ASSERT_EQ(results[i].error, "");
          ASSERT_EQ(results[i].values[0], static_cast<float>(i));
          ASSERT_EQ(results[i].width, 8);
          ASSERT_EQ(results[i].height, 8);
        }
        EXPECT_EQ(results[66].values[1], batch == 67 || batch == 100 ? 67 : 67 % batch ? 67 % batch : batch);
        EXPECT_FALSE(backend.too_many) << "more calls at once than the backend allows";
        EXPECT_EQ(decoded_, 67u);
        EXPECT_EQ(latencies_, 67u);
        EXPECT_EQ(inferred_, static_cast<std::size_t>((67 + batch - 1) / batch));
      }
    }
  }
}

TEST_F(PipelineTest, BrokenImagesAreReportedInTheirPlace) {
  make_images(45, true);
  for (const int batch : {1, 4}) {
    FakeBackend backend(batch, 2);
    const std::vector<Result> results = all(backend, 3);
    ASSERT_EQ(results.size(), 45u);
    for (std::size_t i = 0; i < results.size(); ++i) {
      ASSERT_EQ(results[i].error, i % 10 == 3 ? "neither a JPEG nor a PNG" : "");
      ASSERT_EQ(results[i].values.size(), i % 10 == 3 ? 0u : 2u);
      ASSERT_TRUE(i % 10 == 3 || results[i].values[0] == static_cast<float>(i));
    }
    EXPECT_EQ(latencies_, 40u);
  }
}

TEST_F(PipelineTest, ABatchOfBrokenImagesIsNotComputed) {
  for (int i = 0; i < 6; ++i) images_.push_back({folder_ / "none", "none"});
  FakeBackend backend(4, 1);
  EXPECT_EQ(all(backend, 2).size(), 6u);
  EXPECT_EQ(backend.calls, 0);
}

TEST_F(PipelineTest, NoImagesAreNoResults) {
  FakeBackend backend(4, 1);
  EXPECT_TRUE(all(backend, 2).empty());
}

TEST_F(PipelineTest, AFailureOfTheBackendReachesNext) {
  make_images(40);
  for (const int fails_at : {1, 3, 10}) {
    FakeBackend backend(4, 2);
    backend.fails_at = fails_at;
    Pipeline pipeline(images_, description_, backend, 3);
    const auto drain = [&] {
      while (pipeline.next()) {
      }
    };
    EXPECT_EQ(error_of<UserError>(drain), "told to fail");
    EXPECT_EQ(error_of<UserError>(drain), "told to fail");
  }
}

TEST_F(PipelineTest, BatchesUnderWayAreBounded) {
  make_images(250);
  FakeBackend backend(2, 1);
  const int threads = 3, bound = threads / 2 + 1 + 2;
  Pipeline pipeline(images_, description_, backend, threads);
  for (int taken = 0; taken < 3; ++taken) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    EXPECT_LE(backend.calls, bound + taken);
    EXPECT_TRUE(pipeline.next());
  }
}

TEST_F(PipelineTest, ItStopsInTheMiddle) {
  make_images(100);
  for (int taken = 0; taken < 4; ++taken) {
    FakeBackend backend(8, 2, true);
    Pipeline pipeline(images_, description_, backend, 4);
    for (int i = 0; i < taken; ++i) EXPECT_TRUE(pipeline.next());
  }
}

}  // namespace
}  // namespace tinynet
