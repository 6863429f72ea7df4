// Small integer helpers that layouts, packers and partitions share.
#pragma once

#include <cstdint>

#include "common/host_device.h"

namespace marlin {

MARLIN_HD constexpr int64_t div_up(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}
MARLIN_HD constexpr int64_t round_up(int64_t a, int64_t b) {
    return div_up(a, b) * b;
}

} // namespace marlin
