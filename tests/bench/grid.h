// The lists of problems that GPUs are compared by.
#pragma once

#include <string>
#include <vector>

namespace marlin::bench {

// As text. "full": every shape, batch and kind of weights of docs/performance.md; "quick": a few of them; "roofline":
// square layers of 4k to 32k by 1 to 65k tokens.
std::vector<std::string> grid_problems(const std::string &name);

} // namespace marlin::bench
