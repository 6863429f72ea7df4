// A benchmark run on an NVIDIA GPU.
#pragma once

#include "options.h"
#include "output.h"

namespace marlin::bench {

bool cuda_is_here(); // false too where this was built without CUDA

Output run_on_cuda(const Options &options);

} // namespace marlin::bench
