// The lists of problems that GPUs are compared by.
#pragma once

#include <string>
#include <vector>

namespace marlin::bench {

// "full": every shape, batch and kind of weights of docs/performance.md. "quick": a few of them. As text.
std::vector<std::string> grid_problems(const std::string &name);

} // namespace marlin::bench
