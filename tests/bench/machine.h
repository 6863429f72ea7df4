// What the numbers were measured on: processor, date, and how fast its memory can be read.
#pragma once

#include <cstdint>
#include <string>

namespace marlin::bench {

std::string cpu_name();
std::string date_now(); // UTC, ISO 8601

// GB/s (1e9) of a streaming read by so many threads, the best of several passes.
double read_bandwidth(int threads);

} // namespace marlin::bench
