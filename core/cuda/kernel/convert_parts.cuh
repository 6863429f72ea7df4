// The conversion of dequant.cuh in six parts of about two instructions each, to be put between MMAs.
//
// A warp issues an HMMA every six clocks or so and nothing in between unless something stands there: the compiler, left
// alone, makes bursts of eight MMAs and then thirteen other instructions, and the two add up. Volatile assembly keeps
// its order, so what is written between two MMAs is issued there.
#pragma once

#include "cuda/kernel/dequant.cuh"

namespace marlin::cuda {

namespace placed {

__device__ __forceinline__ uint32_t and_or(uint32_t a, uint32_t b, uint32_t c) {
    uint32_t result;
    asm volatile("lop3.b32 %0, %1, %2, %3, 0xea;" : "=r"(result) : "r"(a), "r"(b), "r"(c));
    return result;
}
__device__ __forceinline__ uint32_t shift_right(uint32_t a, int bits) {
    uint32_t result;
    asm volatile("shr.b32 %0, %1, %2;" : "=r"(result) : "r"(a), "r"(bits));
    return result;
}
__device__ __forceinline__ uint32_t add(uint32_t a, uint32_t b, __half) {
    uint32_t result;
    asm volatile("add.f16x2 %0, %1, %2;" : "=r"(result) : "r"(a), "r"(b));
    return result;
}
__device__ __forceinline__ uint32_t multiply(uint32_t a, uint32_t b, __half) {
    uint32_t result;
    asm volatile("mul.f16x2 %0, %1, %2;" : "=r"(result) : "r"(a), "r"(b));
    return result;
}
__device__ __forceinline__ uint32_t fma(uint32_t a, uint32_t b, uint32_t c, __half) {
    uint32_t result;
    asm volatile("fma.rn.f16x2 %0, %1, %2, %3;" : "=r"(result) : "r"(a), "r"(b), "r"(c));
    return result;
}
__device__ __forceinline__ uint32_t fma(uint32_t a, uint32_t b, uint32_t c, __nv_bfloat16) {
    uint32_t result;
    asm volatile("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(result) : "r"(a), "r"(b), "r"(c));
    return result;
}
// sm_80 has no addition or multiplication of BF16 pairs: a product with one, or a sum with minus zero, is exact.
__device__ __forceinline__ uint32_t add(uint32_t a, uint32_t b, __nv_bfloat16) {
    return fma(a, 0x3f803f80, b, __nv_bfloat16{});
}
__device__ __forceinline__ uint32_t multiply(uint32_t a, uint32_t b, __nv_bfloat16) {
    return fma(a, b, 0x80008000, __nv_bfloat16{});
}

// The stored codes of fragment register r as 1024 + code (or 128 + code in BF16, 1024 + 16 code in FP16 where r is
// odd).
__device__ __forceinline__ uint32_t biased_codes(uint32_t word, int r, __half) {
    return and_or(r < 2 ? word : shift_right(word, 8), r % 2 == 0 ? 0x000f000f : 0x00f000f0, 0x64006400);
}
__device__ __forceinline__ uint32_t biased_codes(uint32_t word, int r, __nv_bfloat16) {
    return and_or(r == 0 ? word : shift_right(word, 4 * r), 0x000f000f, 0x43004300);
}
__device__ __forceinline__ uint32_t integers(uint32_t biased, int r, const ZeroTerms &zero, __half) {
    return r % 2 == 0 ? add(biased, zero.low, __half{}) : fma(biased, 0x2c002c00, zero.high, __half{});
}
__device__ __forceinline__ uint32_t integers(uint32_t biased, int r, const ZeroTerms &zero, __nv_bfloat16) {
    return add(biased, r % 2 == 0 ? zero.low : zero.high, __nv_bfloat16{});
}

} // namespace placed

// How the integers become weights: by the pair of scales that ScaleTerms::low holds, or by scales and offsets.
enum class Scaling { Pair, Offsets };

template <typename T, Scaling scaling>
struct ConversionInParts {
    static constexpr int kParts = 6;
    uint32_t biased[2];
    uint32_t integer[2];

    // Parts come in turn; the last leaves the whole fragment in `to`.
    __device__ __forceinline__ void part(int p, uint32_t word, const ZeroTerms &zero, const ScaleTerms &scale,
                                         uint32_t (&to)[4]) {
        if (p >= 2) {
            const int r = p - 2;
            const bool low = r % 2 == 0;
            if constexpr (scaling == Scaling::Pair)
                to[r] = placed::multiply(integer[r % 2], __byte_perm(scale.low, 0, low ? 0x1010 : 0x3232), T{});
            else
                to[r] = placed::fma(integer[r % 2], low ? scale.low : scale.high,
                                    low ? scale.low_offset : scale.high_offset, T{});
        }
        if (p >= 1 && p < 5)
            integer[(p - 1) % 2] = placed::integers(biased[(p - 1) % 2], p - 1, zero, T{});
        if (p < 4)
            biased[p % 2] = placed::biased_codes(word, p, T{});
    }
};

} // namespace marlin::cuda
