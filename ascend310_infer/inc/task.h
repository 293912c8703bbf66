// What a network does.
#pragma once

namespace tinynet {

enum class Task { kClassification, kDetection };

}  // namespace tinynet
