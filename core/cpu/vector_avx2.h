// AVX2 with FMA and F16C as the kernel templates see a vector: 8 floats, conversions, and decoding of packed codes.
// For instruction-set files only: everything is local to the file that includes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <immintrin.h>

#include "common/types.h"

namespace marlin::cpu {
namespace {

struct Avx2 {
    static constexpr int width = 8;
    using Float = __m256;
    using Int = __m256i;

    static float from_f16(uint16_t bits) { return _cvtsh_ss(bits); }
    static Float zero() { return _mm256_setzero_ps(); }
    static Float set(float x) { return _mm256_set1_ps(x); }
    static Float load(const float *p) { return _mm256_loadu_ps(p); }
    static void store(float *p, Float x) { _mm256_storeu_ps(p, x); }
    static Float add(Float a, Float b) { return _mm256_add_ps(a, b); }
    static Float sub(Float a, Float b) { return _mm256_sub_ps(a, b); }
    static Float mul(Float a, Float b) { return _mm256_mul_ps(a, b); }
    static Float fma(Float a, Float b, Float c) { return _mm256_fmadd_ps(a, b, c); }

    static Int load_bits(const std::byte *p) { return _mm256_loadu_si256(reinterpret_cast<const Int *>(p)); }

    // A packed code minus eight, as a float: nibble `shift / 4` of every 32-bit lane. The nibble is two's complement:
    // moved to the top and back down it is a whole number with its sign.
    struct Decoder {
        template <int shift>
        Float decode(Int codes) const {
            const Int top = shift == 28 ? codes : _mm256_slli_epi32(codes, 28 - shift);
            return _mm256_cvtepi32_ps(_mm256_srai_epi32(top, 28));
        }
    };
    template <int shift>
    static Int shift_right(Int x) {
        return shift == 0 ? x : _mm256_srli_epi32(x, shift);
    }
    // The four activations of a quad in both 128-bit lanes, and one of them picked by the low two bits of each index.
    static Float load_quad(const float *p) { return _mm256_broadcast_ps(reinterpret_cast<const __m128 *>(p)); }
    static Float select(Float quads, Int index) { return _mm256_permutevar_ps(quads, index); }

    static Float load_as(const std::byte *p, Type type) {
        if (type == Type::F32)
            return _mm256_loadu_ps(reinterpret_cast<const float *>(p));
        const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i *>(p));
        if (type == Type::F16)
            return _mm256_cvtph_ps(half);
        return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
    }
    static Float load_u8(const std::byte *p) {
        return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i *>(p))));
    }
    // One rounding, to nearest even; the bits that f32_to_half gives, NaN included.
    static void store_as(std::byte *p, Type type, Float x) {
        if (type == Type::F32) {
            _mm256_storeu_ps(reinterpret_cast<float *>(p), x);
            return;
        }
        auto *out = reinterpret_cast<__m128i *>(p);
        if (type == Type::F16) {
            _mm_storeu_si128(out, _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
            return;
        }
        const Int bits = _mm256_castps_si256(x);
        const Int odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
        const Int rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
        const Int quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
        const Int nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
        const Int high = _mm256_srli_epi32(_mm256_blendv_epi8(rounded, quiet, nan), 16);
        const Int packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(high, high), 0x08);
        _mm_storeu_si128(out, _mm256_castsi256_si128(packed));
    }
};

} // namespace
} // namespace marlin::cpu
