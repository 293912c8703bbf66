// Encoded images, decoded again.
#include "helpers.h"
#include "png_writer.h"

namespace tinynet {
namespace {

TEST(PngWriter, ThePixelsReturn) {
  for (const auto& [width, height] : {std::pair{1, 1}, {37, 5}, {3, 40}}) {
    const Image image = picture(width, height);
    const std::string file = encode_png(image);
    Image decoded;
    decode(Bytes(file.begin(), file.end()), decoded);
    EXPECT_EQ(decoded.width, width);
    EXPECT_EQ(rgb(decoded), rgb(image));
  }
}

}  // namespace
}  // namespace tinynet
