// AVX-512 as the kernel templates see a vector: 16 floats, conversions, and decoding of packed codes.
// For instruction-set files only: everything is local to the file that includes it.
#pragma once

// GCC 12 takes the undefined sources of unmasked intrinsics for uninitialised variables (GCC bug 105593). What it
// reports lies in immintrin.h, so that this stands before the first include of it, for the rest of the file.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <cstddef>
#include <cstdint>
#include <immintrin.h>

#include "common/types.h"

namespace marlin::cpu {
namespace {

struct Avx512 {
    static constexpr int width = 16;
    using Float = __m512;
    using Int = __m512i;

    static float from_f16(uint16_t bits) { return _cvtsh_ss(bits); }
    static Float zero() { return _mm512_setzero_ps(); }
    static Float set(float x) { return _mm512_set1_ps(x); }
    static Float load(const float *p) { return _mm512_loadu_ps(p); }
    static void store(float *p, Float x) { _mm512_storeu_ps(p, x); }
    static Float add(Float a, Float b) { return _mm512_add_ps(a, b); }
    static Float sub(Float a, Float b) { return _mm512_sub_ps(a, b); }
    static Float mul(Float a, Float b) { return _mm512_mul_ps(a, b); }
    static Float fma(Float a, Float b, Float c) { return _mm512_fmadd_ps(a, b, c); }

    static Int load_bits(const std::byte *p) { return _mm512_loadu_si512(p); }

    // A packed code minus eight, as a float: nibble `shift / 4` of every 32-bit lane. vpermps looks at four bits of its
    // index, so the nibbles above need no mask.
    struct Decoder {
        Float table = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1);
        template <int shift>
        Float decode(Int codes) const {
            return _mm512_permutexvar_ps(shift == 0 ? codes : _mm512_srli_epi32(codes, shift), table);
        }
    };
    template <int shift>
    static Int shift_right(Int x) {
        return shift == 0 ? x : _mm512_srli_epi32(x, shift);
    }
    // The four activations of a quad in every 128-bit lane, and one of them picked by the low two bits of each index.
    static Float load_quad(const float *p) { return _mm512_broadcast_f32x4(_mm_loadu_ps(p)); }
    static Float select(Float quads, Int index) { return _mm512_permutevar_ps(quads, index); }

    static Float load_as(const std::byte *p, Type type) {
        if (type == Type::F32)
            return _mm512_loadu_ps(p);
        const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i *>(p));
        if (type == Type::F16)
            return _mm512_cvtph_ps(half);
        return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
    }
    static Float load_u8(const std::byte *p) {
        return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i *>(p))));
    }
    // One rounding, to nearest even; the bits that f32_to_half gives, NaN included.
    static void store_as(std::byte *p, Type type, Float x) {
        if (type == Type::F32) {
            _mm512_storeu_ps(p, x);
            return;
        }
        auto *out = reinterpret_cast<__m256i *>(p);
        if (type == Type::F16) {
            _mm256_storeu_si256(out, _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
            return;
        }
        const Int bits = _mm512_castps_si512(x);
        const Int odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
        const Int rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
        const Int quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
        const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
        _mm256_storeu_si256(out,
                            _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_mask_mov_epi32(rounded, nan, quiet), 16)));
    }
};

} // namespace
} // namespace marlin::cpu
