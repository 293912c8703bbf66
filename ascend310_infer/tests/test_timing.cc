// Quantiles, stop watches, and the two reports of a run.
#include <nlohmann/json.hpp>

#include "helpers.h"
#include "timing.h"

namespace tinynet {
namespace {

Samples samples(const std::vector<double>& seconds) {
  Samples it;
  for (const double value : seconds) it.add(value, value / 2);
  return it;
}

TEST(Timing, QuantilesAreOfTheNearestRank) {
  const Samples five = samples({5, 1, 4, 2, 3});
  EXPECT_EQ(five.quantile(0), 1);
  EXPECT_EQ(five.quantile(0.2), 1);
  EXPECT_EQ(five.quantile(0.21), 2);
  EXPECT_EQ(five.quantile(0.5), 3);
  EXPECT_EQ(five.quantile(0.95), 5);
  EXPECT_EQ(five.quantile(1), 5);
  EXPECT_EQ(samples({}).quantile(0.5), 0);
  EXPECT_EQ(samples({7}).quantile(0.5), 7);
}

TEST(Timing, MergedSamplesAreAllThere) {
  Samples all = samples({1, 2});
  all.merge(samples({3}));
  EXPECT_EQ(all.count(), 3u);
  EXPECT_EQ(all.quantile(1), 3);
  EXPECT_DOUBLE_EQ(all.processor_seconds(), 3);
}

TEST(Timing, AStopwatchMeasuresItsLifetime) {
  Samples it;
  {
    const Stopwatch watch(it);
  }
  EXPECT_EQ(it.count(), 1u);
  EXPECT_GE(it.quantile(0.5), 0);
}

TEST(Timing, JsonAndTableSayTheSame) {
  Timing timing;
  timing.backend = "a \"backend\"";
  timing.images = 10;
  timing.failed = 1;
  timing.seconds = 2;
  timing.stages.infer = samples({0.002, 0.004});
  const nlohmann::json json = nlohmann::json::parse(timing.json());
  EXPECT_EQ(json.at("backend"), timing.backend);
  EXPECT_EQ(json.at("images_per_second"), 5.0);
  EXPECT_EQ(json.at("infer").at("count"), 2);
  EXPECT_NEAR(json.at("infer").at("p95_ms").get<double>(), 4, 1e-6);
  EXPECT_EQ(json.at("decode").at("count"), 0);
  expect_part(timing.table(), "10 images in 2.00 s: 5.0 images/s; 1 could not be read");
  EXPECT_EQ(Timing().images_per_second(), 0);
}

}  // namespace
}  // namespace tinynet
