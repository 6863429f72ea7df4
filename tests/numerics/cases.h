// Which problems the numerics tests run: enumerated here, checked elsewhere.
#pragma once

#include <cstdint>
#include <vector>

#include "common/problem.h"

namespace marlin::test {

// Every combination of activation type, group and kind of zero point, at small odd sizes.
std::vector<Problem> all_formats(bool sparse);

// Every number of rows up to some row blocks, and ragged n and k.
std::vector<Problem> all_sizes(bool sparse);

// `count` problems drawn from everything at once.
std::vector<Problem> drawn(bool sparse, int count, uint64_t seed);

} // namespace marlin::test
