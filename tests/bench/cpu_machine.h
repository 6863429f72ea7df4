// What CPU numbers were measured on: the processor, and how fast its memory can be read.
#pragma once

#include <cstdint>
#include <string>

namespace marlin::bench {

std::string cpu_name();

// GB/s (1e9) of a streaming read by so many threads, the best of several passes.
double read_bandwidth(int threads);

} // namespace marlin::bench
