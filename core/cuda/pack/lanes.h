// What the lanes of a warp exchange. On the host one thread has the words of all of them.
#pragma once

#include "cuda/pack/arithmetic.h"
#include "cuda/pack/block.h"

namespace marlin::cuda {

// Neighbouring lanes that a thread stands for.
template <typename Block>
inline constexpr int kLanesOfThread = Block::kThreads < 32 ? 32 : 1;

// Of the lanes from `first` on, all of a warp: each gets the word of the lane whose number differs in one bit.
template <int count>
MARLIN_HD void swap_lanes(uint32_t (&word)[count], int bit) {
#ifdef __CUDA_ARCH__
    static_assert(count == 1);
    word[0] = __shfl_xor_sync(0xffffffffu, word[0], bit);
#else
    for (int lane = 0; lane < count; ++lane)
        if ((lane & bit) == 0) {
            const uint32_t mine = word[lane];
            word[lane] = word[lane | bit];
            word[lane | bit] = mine;
        }
#endif
}

// Lanes that differ in two bits have four words each, and get one of all four: that of their number.
template <int low, int high, int count>
MARLIN_HD void transpose_words_of_lanes(uint32_t (&word)[count][4], int first) {
    MARLIN_UNROLL
    for (int step = 1; step <= 2; ++step) {
        const int bit = step == 1 ? low : high;
        MARLIN_UNROLL
        for (int pair = 0; pair < 2; ++pair) {
            const int a = step == 1 ? 2 * pair : pair;
            const int b = a + step;
            uint32_t other[count];
            MARLIN_UNROLL
            for (int m = 0; m < count; ++m)
                other[m] = ((first + m) & bit) != 0 ? word[m][a] : word[m][b];
            swap_lanes(other, bit);
            MARLIN_UNROLL
            for (int m = 0; m < count; ++m) {
                const bool last = ((first + m) & bit) != 0;
                word[m][a] = last ? other[m] : word[m][a];
                word[m][b] = last ? word[m][b] : other[m];
            }
        }
    }
}

// Rows of bytes of four neighbouring lanes, as columns: lane j gets byte j of all four.
#ifdef __CUDA_ARCH__
__device__ inline uint32_t transpose_lanes(uint32_t mine) {
    const unsigned lane = threadIdx.x % 32;
    const unsigned together = 15u << (lane & ~3u);
    const uint32_t next = __shfl_xor_sync(together, mine, 1);
    const uint32_t pair = permute_bytes(mine, next, lane % 2 == 0 ? 0x6240 : 0x3715);
    const uint32_t far = __shfl_xor_sync(together, pair, 2);
    return permute_bytes(pair, far, lane % 4 < 2 ? 0x5410 : 0x3276);
}
#endif
// Of as many lanes as `count`: one, or fours that one thread has.
template <int count>
MARLIN_HD void transpose_bytes_of_lanes(uint32_t (&word)[count]) {
#ifdef __CUDA_ARCH__
    if constexpr (count == 1)
        word[0] = transpose_lanes(word[0]);
#endif
    if constexpr (count % 4 == 0) {
        for (int lane = 0; lane < count; lane += 4) {
            uint32_t column[4];
            transpose_bytes({word[lane], word[lane + 1], word[lane + 2], word[lane + 3]}, column);
            for (int j = 0; j < 4; ++j)
                word[lane + j] = column[j];
        }
    }
}

} // namespace marlin::cuda
