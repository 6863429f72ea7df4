// Timing work on a GPU: a graph of calls, launched several times after a rest.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "cuda_device.h"
#include "cuda_memory.h"

namespace marlin::bench {

// Microseconds a call.
struct GraphTiming {
    double us = 0.0; // the median launch
    double us_min = 0.0;
    double us_max = 0.0;
    int launches = 0;
    int sm_mhz = 0; // the SMs' clock while it ran, measured
};

class GraphTimer {
public:
    // Enqueues one call on the stream, with the copy of the weights of this number.
    using Call = std::function<void(int64_t copy)>;

    GraphTimer(const GpuDevice &device, const Stream &stream, int launches, bool rest)
        : device_(device), stream_(stream), launches_(launches), rest_(rest) {}

    // Microseconds a call by a launch or two: for choosing between candidates.
    double glance(int64_t copies, const Call &call);

    // A GPU that worked hard clocks down, and what runs next would pay for it: this first rests as long as the last
    // measurement took (a second at most), raises the clocks with a spin, then times.
    GraphTiming measure(int64_t copies, const Call &call);

    // One launch over all copies, not timed.
    void run(int64_t copies, const Call &call);

private:
    const GpuDevice &device_;
    const Stream &stream_;
    int launches_;
    bool rest_;
    std::chrono::duration<double> last_{0};
};

} // namespace marlin::bench
