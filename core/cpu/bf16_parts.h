// Activations as exact sums of BF16 parts, in the order in which the BF16 dot-product kernels read them.
// For instruction-set files only: everything is local to the file that includes it.
//
// A BF16 number has 8 significant bits, an FP16 number 11, an FP32 number 24: cut off 8 bits at a time, BF16 is one
// part, FP16 two, FP32 three, and nothing is lost. (A part below 2^-126 is: the dot products read it as zero.)
#pragma once

#include "cpu/vector_avx512.h"

#include "cpu/load_a.h"

namespace marlin::cpu {
namespace {

constexpr int parts_of(Type type) {
    return type == Type::BF16 ? 1 : type == Type::F16 ? 2 : 3;
}

// Splits 32 floats into `parts` vectors of 32 BF16. A value that is not finite is its first part alone: Inf - Inf in
// the others would turn an infinite result into NaN.
template <int parts>
void split_32(const float *values, __m512i (&out)[parts]) {
    // Index of the upper half of every float in two registers: cutting off the lower half is the rounding.
    const __m512i upper_halves = _mm512_add_epi16(
        _mm512_set1_epi16(1),
        _mm512_slli_epi16(_mm512_setr_epi32(0x00010000, 0x00030002, 0x00050004, 0x00070006, 0x00090008, 0x000b000a,
                                            0x000d000c, 0x000f000e, 0x00110010, 0x00130012, 0x00150014, 0x00170016,
                                            0x00190018, 0x001b001a, 0x001d001c, 0x001f001e),
                          1));
    const __m512i upper_bits = _mm512_set1_epi32(static_cast<int>(0xffff0000u));
    __m512 rest[2] = {_mm512_loadu_ps(values), _mm512_loadu_ps(values + 16)};
    __mmask16 finite[2];
    for (int i = 0; i < 2; ++i) {
        constexpr int nan_or_infinite = 0x01 | 0x80 | 0x08 | 0x10;
        finite[i] = static_cast<__mmask16>(~_mm512_fpclass_ps_mask(rest[i], nan_or_infinite));
        // A NaN whose payload lies in the lower half only would become Inf when cut.
        const __mmask16 nan = _mm512_cmp_ps_mask(rest[i], rest[i], _CMP_UNORD_Q);
        rest[i] = _mm512_castsi512_ps(_mm512_mask_or_epi32(_mm512_castps_si512(rest[i]), nan,
                                                           _mm512_castps_si512(rest[i]), _mm512_set1_epi32(0x400000)));
    }
    for (int p = 0; p < parts; ++p) {
        out[p] = _mm512_permutex2var_epi16(_mm512_castps_si512(rest[0]), upper_halves, _mm512_castps_si512(rest[1]));
        if (p + 1 < parts)
            for (int i = 0; i < 2; ++i) {
                const __m512 part = _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(rest[i]), upper_bits));
                rest[i] = _mm512_maskz_sub_ps(finite[i], rest[i], part);
            }
    }
}

// Dense: [k / 2][row][part], a pair of neighbours in k each, so that a row block is one stream of 32-bit broadcasts.
template <int parts>
void repack_dense_parts(const RepackArgs &args) {
    auto *packed = static_cast<uint32_t *>(args.packed);
    for_each_block<Avx512>(args, [&](int32_t row, int64_t k0, const float *block) {
        uint32_t *out = packed + (k0 / 2 * args.rows + row) * parts;
        for (int64_t k = 0; k < args.block_k; k += 32) {
            alignas(64) __m512i halves[parts];
            split_32<parts>(block + k, halves);
            alignas(64) uint32_t pairs[parts][16];
            for (int p = 0; p < parts; ++p)
                _mm512_store_si512(pairs[p], halves[p]);
            for (int pair = 0; pair < 16; ++pair, out += args.rows * parts)
                for (int p = 0; p < parts; ++p)
                    out[p] = pairs[p][pair];
        }
    });
}

// 2:4: [quad][row][part], four neighbours in k each: a look-up table for the positions that a feature has kept.
template <int parts>
void repack_24_parts(const RepackArgs &args) {
    auto *packed = static_cast<uint64_t *>(args.packed);
    for_each_block<Avx512>(args, [&](int32_t row, int64_t k0, const float *block) {
        uint64_t *out = packed + (k0 / 4 * args.rows + row) * parts;
        for (int64_t k = 0; k < args.block_k; k += 32) {
            __m512i halves[parts];
            split_32<parts>(block + k, halves);
            alignas(64) uint64_t quads[parts][8];
            for (int p = 0; p < parts; ++p)
                _mm512_store_si512(quads[p], halves[p]);
            for (int quad = 0; quad < 8; ++quad, out += args.rows * parts)
                for (int p = 0; p < parts; ++p)
                    out[p] = quads[p][quad];
        }
    });
}

} // namespace
} // namespace marlin::cpu
