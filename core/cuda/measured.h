// Times that were measured of kernels with tiles of some shapes, for the models.
#pragma once

#include <algorithm>
#include <optional>
#include <span>

#include "cuda/kernel/instance.h"

namespace marlin::cuda {

struct Measured {
    int32_t tokens;
    int32_t features;
    double time; // in the unit of the model
    int32_t turns = 1;
};

// The time of an instance's shape; none where it was not measured.
inline std::optional<double> measured_time(std::span<const Measured> measured, const Instance &instance) {
    const auto found = std::find_if(measured.begin(), measured.end(), [&](const Measured &of) {
        return of.tokens == instance.tokens && of.features == instance.features && of.turns == instance.turns;
    });
    return found == measured.end() ? std::nullopt : std::optional(found->time);
}

} // namespace marlin::cuda
