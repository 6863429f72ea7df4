// The read ceiling of packed bytes: the quickest way found to do nothing but read them.
#pragma once

#include <cstdint>
#include <string>

#include "cuda_subject.h"
#include "cuda_timer.h"

namespace marlin::bench {

struct ReadTiming {
    double us = 0.0;
    std::string kernel; // "earlier": a ceiling measured before, see limit.h, that nothing here reached
    double measured_us = 0.0;
};

ReadTiming read_ceiling(const GpuDevice &device, const Stream &stream, GraphTimer &timer, const CudaWeights &weights);

} // namespace marlin::bench
