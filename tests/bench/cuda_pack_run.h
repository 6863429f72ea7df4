// Measuring packing on a GPU, beside the bandwidth of a copy.
#pragma once

#include "options.h"
#include "output.h"

namespace marlin::bench {

// Whether the options ask for packing: --grid packing, or a first problem that begins with pack or unpack.
bool is_packing(const Options &options);

// Times are those of whole calls: checks, kernels, checksum, the return to the caller.
Output run_packing(const Options &options);

} // namespace marlin::bench
