// 2:4 selection among values as they stand in the source: the bits of magnitudes have the order of integers.
#pragma once

#include "cuda/pack/select_lanes.h"
#include "cuda/pack/value_words.h"

namespace marlin::cuda {

// All bits of each value of a word whose sign is set.
template <Type type>
MARLIN_HD uint32_t sign_masks(uint32_t word) {
    if constexpr (type == Type::F32) {
        return static_cast<uint32_t>(static_cast<int32_t>(word) >> 31);
    } else {
#ifdef __CUDA_ARCH__
        uint32_t result;
        asm("prmt.b32 %0, %1, 0, 0xbb99;" : "=r"(result) : "r"(word)); // signs of bytes 1 and 3
        return result;
#else
        return (word >> 15 & 0x10001u) * 0xffffu;
#endif
    }
}

// Which of four rows stay, as masks of each value of the words.
template <Type type>
MARLIN_HD void keep_words(const uint32_t (&word)[4], uint32_t (&keep)[4]) {
    constexpr uint32_t kSign = WordValues<type>::kSign;
    const uint32_t magnitude[4] = {word[0] & ~kSign, word[1] & ~kSign, word[2] & ~kSign, word[3] & ~kSign};
    keep_lanes(magnitude, kSign, sign_masks<type>, keep);
}

// Quads of a vector along k: one, or of halves two, the first in the low ones.
template <Type type>
MARLIN_HD void quads_of_vector(const Vector &vector, uint32_t (&row)[4]) {
    MARLIN_UNROLL
    for (int p = 0; p < 4; ++p)
        row[p] = type == Type::F32 ? vector.word[p]
                                   : permute_bytes(vector.word[p / 2], vector.word[2 + p / 2], p % 2 ? 0x7632 : 0x5410);
}

} // namespace marlin::cuda
