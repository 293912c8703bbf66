// Batch sizes of a compiled model.
#include "gears.h"
#include "helpers.h"

namespace tinynet {
namespace {

using Gears = std::vector<int>;

TEST(Gears, AllSpellingsAreRead) {
  for (const char* text : {"1;8;16", "1,8,16", "[1],[8],[16]", "16;8;1;8", " 1; 8; 16 ", "1,3,8,8;8,3,8,8;16,3,8,8",
                           "[1,3,8,8],[8,3,8,8],[16,3,8,8]"}) {
    EXPECT_EQ(parse_gears(text), (Gears{1, 8, 16})) << text;
  }
  EXPECT_EQ(parse_gears("4"), Gears{4});
}

TEST(Gears, WhatCannotBeReadIsNoGear) {
  for (const char* text : {"", ";", "[]", "1~16", "-1", "image:1;8", "0;4", "99999999999999999999", "1.5"}) {
    EXPECT_TRUE(parse_gears(text).empty()) << text;
  }
}

TEST(Gears, TheLeastThatHoldsTheImages) {
  const Gears gears = {1, 8, 16};
  EXPECT_EQ(gear_for(1, gears), 1);
  EXPECT_EQ(gear_for(2, gears), 8);
  EXPECT_EQ(gear_for(8, gears), 8);
  EXPECT_EQ(gear_for(9, gears), 16);
  EXPECT_EQ(gear_for(5, {}), 5);
}

TEST(Gears, TheBatchIsTheLargestGearUnlessAskedFor) {
  EXPECT_EQ(batch_for(0, {1, 8}), 8);
  EXPECT_EQ(batch_for(3, {1, 8}), 3);
  EXPECT_EQ(batch_for(0, {}), 1);
  EXPECT_EQ(batch_for(5, {}), 5);
  expect_part(error_of<UserError>([] { batch_for(9, {1, 8}); }),
              "--batch_size is 9, the model was compiled for at most 8");
}

}  // namespace
}  // namespace tinynet
