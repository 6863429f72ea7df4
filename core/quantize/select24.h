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
    // Whether the lower position of each pair goes first; a row stays when two or more of its three pairs are won.
    // Written without branches, so that 64 columns become vectors.
    const int w01 = m0 >= m1 ? 1 : 0;
    const int w02 = m0 >= m2 ? 1 : 0;
    const int w03 = m0 >= m3 ? 1 : 0;
    const int w12 = m1 >= m2 ? 1 : 0;
    const int w13 = m1 >= m3 ? 1 : 0;
    const int w23 = m2 >= m3 ? 1 : 0;
    const int keep0 = w01 + w02 + w03 >= 2 ? 1 : 0;
    const int keep1 = 1 - w01 + w12 + w13 >= 2 ? 1 : 0;
    const int keep3 = 3 - w03 - w13 - w23 >= 2 ? 1 : 0;
    // Two are kept: the first is 0, else 1, else 2; the second is 3, else 2, else 1.
    const int first = (1 - keep0) * (2 - keep1);
    const int second = keep3 != 0 ? 3 : 2 - keep0 * keep1;
    return {static_cast<uint8_t>(first), static_cast<uint8_t>(second)};
}

} // namespace marlin
