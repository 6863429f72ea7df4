// Values as they stand in 32-bit words: one, or two halves, smaller and larger ones found without converting them.
#pragma once

#include "cuda/pack/arithmetic.h"
#include "cuda/pack/block.h"

namespace marlin::cuda {

template <Type type>
struct WordValues {
    static constexpr int kCount = type == Type::F32 ? 1 : 2;

    MARLIN_HD static float of(uint32_t word, int i) {
        if constexpr (type == Type::F32)
            return std::bit_cast<float>(word);
        else
            return widen(static_cast<uint16_t>(word >> (16 * i)), type);
    }
    // The smaller (or larger) of each, NaN where either is NaN.
    MARLIN_HD static uint32_t lesser(uint32_t a, uint32_t b) {
#ifdef __CUDA_ARCH__
        uint32_t result;
        if constexpr (type == Type::F32)
            asm("{ .reg .f32 x, y, z; mov.b32 x, %1; mov.b32 y, %2; min.NaN.f32 z, x, y; mov.b32 %0, z; }"
                : "=r"(result)
                : "r"(a), "r"(b));
        else if constexpr (type == Type::BF16)
            asm("min.NaN.bf16x2 %0, %1, %2;" : "=r"(result) : "r"(a), "r"(b));
        else
            asm("min.NaN.f16x2 %0, %1, %2;" : "=r"(result) : "r"(a), "r"(b));
        return result;
#else
        return choose(a, b, [](float x, float y) { return x < y || x != x; });
#endif
    }
    MARLIN_HD static uint32_t greater(uint32_t a, uint32_t b) {
#ifdef __CUDA_ARCH__
        uint32_t result;
        if constexpr (type == Type::F32)
            asm("{ .reg .f32 x, y, z; mov.b32 x, %1; mov.b32 y, %2; max.NaN.f32 z, x, y; mov.b32 %0, z; }"
                : "=r"(result)
                : "r"(a), "r"(b));
        else if constexpr (type == Type::BF16)
            asm("max.NaN.bf16x2 %0, %1, %2;" : "=r"(result) : "r"(a), "r"(b));
        else
            asm("max.NaN.f16x2 %0, %1, %2;" : "=r"(result) : "r"(a), "r"(b));
        return result;
#else
        return choose(a, b, [](float x, float y) { return x > y || x != x; });
#endif
    }
    static constexpr uint32_t kInfinity = type == Type::F32    ? 0x7f800000u
                                          : type == Type::BF16 ? 0x7f807f80u
                                                               : 0x7c007c00u;
    static constexpr uint32_t kSign = type == Type::F32 ? 0x80000000u : 0x80008000u;

private:
    template <typename FirstWins>
    static uint32_t choose(uint32_t a, uint32_t b, FirstWins first_wins) {
        uint32_t result = 0;
        for (int i = 0; i < kCount; ++i) {
            const uint32_t mask = kCount == 1 ? 0xffffffffu : 0xffffu << (16 * i);
            result |= (first_wins(of(a, i), of(b, i)) ? a : b) & mask;
        }
        return result;
    }
};

// The least and the greatest of some words, each value of a word for itself.
template <Type type>
struct WordRange {
    using W = WordValues<type>;
    uint32_t low = W::kInfinity;
    uint32_t high = W::kInfinity | W::kSign;

    MARLIN_HD void join(uint32_t low_too, uint32_t high_too) {
        low = W::lesser(low, low_too);
        high = W::greater(high, high_too);
    }
    MARLIN_HD void add(uint32_t word) { join(word, word); }
    // The values that `mask` has all bits of.
    MARLIN_HD void add(uint32_t word, uint32_t mask) {
        join((word & mask) | (low & ~mask), (word & mask) | (high & ~mask));
    }
};

// Whether all values of some words are numbers.
template <Type type>
struct WordNumbers {
    using W = WordValues<type>;
    uint32_t largest = 0; // magnitudes

    MARLIN_HD void add(uint32_t word) { largest = W::greater(largest, word & ~W::kSign); }
    MARLIN_HD bool good() const {
        bool numbers = true;
        MARLIN_UNROLL
        for (int i = 0; i < W::kCount; ++i)
            numbers &= is_finite(W::of(largest, i));
        return numbers;
    }
};

} // namespace marlin::cuda
