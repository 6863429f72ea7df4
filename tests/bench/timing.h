// Timing a call: repeats, median and best.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

namespace marlin::bench {

struct Timing {
    double median_us = 0.0;
    double best_us = 0.0;
    int repeats = 0;
};

// Calls run(i) once to warm up, then `repeats` times; 0: as often as fits half a second, 5 to 300 times.
template <typename Run>
Timing measure(int repeats, Run run) {
    const auto timed = [&](int64_t i) {
        const auto start = std::chrono::steady_clock::now();
        run(i);
        return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
    };
    const double first = timed(0);
    if (repeats == 0)
        repeats = static_cast<int>(std::clamp(500e3 / first, 5.0, 300.0));
    std::vector<double> times;
    for (int i = 1; i <= repeats; ++i)
        times.push_back(timed(i));
    std::sort(times.begin(), times.end());
    return {times[times.size() / 2], times[0], repeats};
}

// Copies of `size` bytes to rotate over, so that no byte is still cached when its turn comes again: four times the
// last-level cache in all.
int64_t copies_to_rotate(int64_t size);

} // namespace marlin::bench
