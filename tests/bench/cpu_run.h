// A benchmark run on the CPU.
#pragma once

#include "options.h"
#include "output.h"

namespace marlin::bench {

Output run_on_cpu(const Options &options);

} // namespace marlin::bench
