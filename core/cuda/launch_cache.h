// The launches chosen last: weighing all kernels takes a few microseconds, as long as a small multiply itself.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "cuda/heuristics.h"

namespace marlin::cuda {

class LaunchCache {
public:
    // choose(), or what it said of the same problem before. Limits, wishes and instances are those of all calls since
    // clear(). The reference holds until the next call.
    const Launch &choose(const Problem &problem, const Geometry &geometry, const Limits &limits, const Wishes &wishes,
                         std::span<const Instance *const> instances);
    void clear();

private:
    struct Entry {
        Problem problem;
        int64_t k_packed = 0;
        Launch launch; // no instance: nothing here
    };
    // A place for each hash: more than the layers of a model and their batches in use.
    std::array<Entry, 64> entries_;
};

} // namespace marlin::cuda
