// 2:4 selection of several quads at once, one in each lane of a word: a byte, a half, all of it.
#pragma once

#include "cuda/pack/arithmetic.h"

namespace marlin::cuda {

// Which of four rows stay, as masks of whole lanes: keep_two() of the magnitudes, which leave the sign of their lane
// free. A sign is set in a difference where the lower row goes first, which it does from equal magnitudes too; who wins
// two of three stays. masks_of_signs(word) fills each lane with its sign.
template <typename MasksOfSigns>
MARLIN_HD void keep_lanes(const uint32_t (&magnitude)[4], uint32_t sign, MasksOfSigns masks_of_signs,
                          uint32_t (&keep)[4]) {
    const auto most = [](uint32_t a, uint32_t b, uint32_t c) { return (a & b) | (a & c) | (b & c); };
    const auto first = [&](int p, int q) { return (magnitude[p] | sign) - magnitude[q]; };
    const uint32_t w01 = first(0, 1);
    const uint32_t w02 = first(0, 2);
    const uint32_t w03 = first(0, 3);
    const uint32_t w12 = first(1, 2);
    const uint32_t w13 = first(1, 3);
    const uint32_t w23 = first(2, 3);
    keep[0] = masks_of_signs(most(w01, w02, w03));
    keep[1] = masks_of_signs(most(~w01, w12, w13));
    keep[2] = masks_of_signs(most(~w02, ~w12, w23));
    keep[3] = masks_of_signs(most(~w03, ~w13, ~w23));
}

// Codes are one a byte. `positions` is what the third row of a quad is to have.
struct KeptCodes {
    uint32_t first;
    uint32_t second;
    uint32_t positions;
};
MARLIN_HD inline KeptCodes choose_kept(const uint32_t (&code)[4], const uint32_t (&keep)[4]) {
    constexpr uint32_t kEach = 0x01010101u;
    const auto choose = [](uint32_t mask, uint32_t a, uint32_t b) { return (a & mask) | (b & ~mask); };
    return {choose(keep[0], code[0], choose(keep[1], code[1], code[2])),
            choose(keep[3], code[3], choose(keep[2], code[2], code[1])),
            (~keep[0] & choose(keep[1], kEach, 2 * kEach)) |
                choose(keep[3], 12 * kEach, choose(keep[2], 8 * kEach, 4 * kEach))};
}

} // namespace marlin::cuda
