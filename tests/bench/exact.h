// How far outputs are from exact: a sample of them computed in FP64 from the packed weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/problem.h"
#include "layout/header.h"

namespace marlin::bench {

// Rows of A and C that are looked at: the first, the last and some between, in rising order.
std::vector<int64_t> sample_rows(int64_t m);

// The sampled rows, tight, in host memory.
struct SampledRows {
    std::vector<int64_t> rows;
    std::vector<std::byte> a;    // rows x k
    std::vector<std::byte> c;    // rows x n
    std::vector<std::byte> bias; // n, or none
};

// max |c - exact| / max |exact| over some outputs of those rows; infinity where one is not finite.
// The weights are in host memory.
double max_relative_error(const Problem &problem, const WeightsView &weights, const SampledRows &sample);

} // namespace marlin::bench
