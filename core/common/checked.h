// Size arithmetic that fails instead of wrapping.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/error.h"

namespace marlin {

inline int64_t checked_mul(int64_t a, int64_t b, std::string_view what) {
    int64_t result = 0;
    if (__builtin_mul_overflow(a, b, &result))
        fail(Status::InvalidArgument, "{} overflows: {} * {} does not fit 63 bits", what, a, b);
    return result;
}

inline int64_t checked_add(int64_t a, int64_t b, std::string_view what) {
    int64_t result = 0;
    if (__builtin_add_overflow(a, b, &result))
        fail(Status::InvalidArgument, "{} overflows: {} + {} does not fit 63 bits", what, a, b);
    return result;
}

} // namespace marlin
