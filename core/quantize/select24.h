// 2:4 selection: which two of four rows stay.
#pragma once

#include <cstdint>

#include "common/host_device.h"

namespace marlin {

// Positions 0..3 of the two kept rows, first < second.
struct KeptPair {
    uint8_t first;
    uint8_t second;
};

// The two largest of four magnitudes, ties to the lower position. With magnitudes 1 (nonzero) and 0 this keeps the
// nonzero rows of a quad that already is 2:4 and fills up with the lowest free positions.
MARLIN_HD constexpr KeptPair keep_two(float m0, float m1, float m2, float m3) {
    const float m[4] = {m0, m1, m2, m3};
    unsigned mask = 0;
    for (int p = 0; p < 4; ++p) {
        int before = 0; // how many others go first
        for (int q = 0; q < 4; ++q)
            before += m[q] > m[p] || (m[q] == m[p] && q < p) ? 1 : 0;
        mask |= (before < 2 ? 1u : 0u) << p;
    }
    const auto first = static_cast<uint8_t>((mask & 1u) != 0 ? 0 : (mask & 2u) != 0 ? 1 : 2);
    const auto second = static_cast<uint8_t>((mask & 8u) != 0 ? 3 : (mask & 4u) != 0 ? 2 : 1);
    return {first, second};
}

} // namespace marlin
