// Half precision against known values and against all 65,536 of NumPy.
#include <cmath>
#include <cstring>
#include <numeric>

#include "half.h"
#include "helpers.h"

namespace tinynet {
namespace {

TEST(Half, SomeValuesAreKnown) {
  const std::uint16_t halves[] = {0x0000, 0x3c00, 0xc000, 0x7bff, 0x0001, 0x03ff, 0x0400, 0x7c00, 0xfc00, 0x8000};
  float floats[10];
  halves_to_floats(halves, 10, floats);
  const float expected[] = {0, 1, -2, 65504, 0x1p-24f, 1023 * 0x1p-24f, 0x1p-14f, INFINITY, -INFINITY, 0};
  for (int i = 0; i < 10; ++i) EXPECT_EQ(floats[i], expected[i]) << i;
  EXPECT_TRUE(std::signbit(floats[9]));
}

TEST(Half, AllValuesAreNumPys) {
  std::vector<std::uint16_t> halves(65536);
  std::iota(halves.begin(), halves.end(), 0);
  std::vector<float> floats(halves.size());
  halves_to_floats(halves.data(), halves.size(), floats.data());
  std::uint64_t hash = 14695981039346656037u;  // FNV-1a of the floats' bits, low byte first, any NaN as 0x7fc00000
  for (const float number : floats) {
    std::uint32_t bits = 0x7fc00000;
    if (!std::isnan(number)) std::memcpy(&bits, &number, sizeof bits);
    for (int shift = 0; shift < 32; shift += 8) hash = (hash ^ ((bits >> shift) & 255)) * 1099511628211u;
  }
  EXPECT_EQ(hash, 0x1f87f165810ea7c5u);  // np.arange(65536, dtype=np.uint16).view(np.float16).astype(np.float32)
}

}  // namespace
}  // namespace tinynet
