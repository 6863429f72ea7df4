// What an unpack request means once its fields are checked, the same for every device.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pack/request.h"

namespace marlin {

// Where a row of weights goes.
struct Destination {
    std::byte *data;
    Type type;
    Order order;
    int64_t ld;

    // Elements from one feature to the next, and the first one of source row k.
    MARLIN_HD int64_t stride() const { return order == Order::KxN ? 1 : ld; }
    MARLIN_HD std::byte *at(int64_t k, int64_t n) const {
        return data + (order == Order::KxN ? k * ld + n : n * ld + k) * size_of(type);
    }
};

// Checks every field, and perm, which must be readable here; nothing else of the weights is touched.
Destination check_unpack(const WeightsView &weights, const UnpackRequest &request);

// Whether zero points decide if the request can be met: pruned weights become the code that means 0.
bool needs_pruned_codes(const WeightsView &weights, const UnpackRequest &request);
MARLIN_HD constexpr bool has_pruned_code(float zero) {
    return zero <= 15.0f;
}
[[noreturn]] void refuse_pruned_code(int64_t group, int64_t n, float zero);

} // namespace marlin
