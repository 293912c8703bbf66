#include "gears.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "errors.h"

namespace tinynet {

std::vector<int> parse_gears(const std::string& text) {
  if (text.find_first_not_of("0123456789,;[] \t") != std::string::npos) return {};  // a range or a name
  std::vector<std::vector<long>> groups(1);
  for (const char* at = text.c_str(); *at;) {
    if (*at >= '0' && *at <= '9') {
      char* end = nullptr;
      groups.back().push_back(std::strtol(at, &end, 10));
      at = end;
    } else {
      if ((*at == ';' || *at == ']') && !groups.back().empty()) groups.emplace_back();
      ++at;
    }
  }
  if (groups.back().empty()) groups.pop_back();
  std::set<int> gears;
  for (const std::vector<long>& group : groups) {  // a single list of batches, or shapes that begin with one
    for (const long batch : groups.size() == 1 ? group : std::vector<long>{group[0]}) {
      if (batch < 1 || batch > 1'000'000) return {};
      gears.insert(static_cast<int>(batch));
    }
  }
  return {gears.begin(), gears.end()};
}

int batch_for(int requested, const std::vector<int>& gears) {
  if (gears.empty()) return std::max(requested, 1);
  if (requested > gears.back()) {
    throw UserError("--batch_size is " + std::to_string(requested) + ", the model was compiled for at most " +
                    std::to_string(gears.back()) + "; leave the flag out, or convert the model for larger batches");
  }
  return requested ? requested : gears.back();
}

int gear_for(int count, const std::vector<int>& gears) {
  const auto gear = std::lower_bound(gears.begin(), gears.end(), count);
  return gear == gears.end() ? count : *gear;
}

}  // namespace tinynet
