// Whether an array has something that cannot be packed, without saying where: sixteen bytes at a time.
#pragma once

#include "cuda/pack/block.h"
#include "quantize/rounding.h"

namespace marlin::cuda {

// What an array has, and what is too much: a magnitude, as the bits of its type, or a byte's upper half.
enum class Scanned { Halves, Floats, Codes };
struct ScanLimit {
    Scanned what;
    uint32_t limit; // of numbers: the least magnitude that cannot be stored
    uint32_t bias;  // of codes: added first, modulo 256
};

// Where a number is none, or is none when rounded to the type it is stored in.
constexpr ScanLimit limit_of_numbers(Type type, Type stored) {
    const bool to_f16 = stored == Type::F16;
    if (type == Type::F32) // half-way to infinity
        return {Scanned::Floats, to_f16 ? 0x477ff000u : stored == Type::BF16 ? 0x7f7f8000u : 0x7f800000u, 0};
    if (type == Type::BF16) // 65536 is the first beyond FP16
        return {Scanned::Halves, to_f16 ? 0x4780u : 0x7f80u, 0};
    return {Scanned::Halves, 0x7c00u, 0};
}
constexpr ScanLimit limit_of_codes(uint32_t bias) {
    return {Scanned::Codes, 1, bias};
}

// The sum of four bytes and four equal ones without carries between them.
MARLIN_HD constexpr uint32_t add_to_bytes(uint32_t bytes, uint32_t bias) {
    return ((bytes & 0x7f7f7f7fu) + bias * 0x01010101u) ^ (bytes & 0x80808080u);
}

// The largest magnitude, or any bits of upper halves, of the vector and of `largest`.
template <Scanned what>
MARLIN_HD uint32_t scan_vector(const Vector &vector, uint32_t bias, uint32_t largest) {
    const auto see = [&largest](uint32_t magnitude) { largest = magnitude > largest ? magnitude : largest; };
    MARLIN_UNROLL
    for (int w = 0; w < 4; ++w) {
        if constexpr (what == Scanned::Floats) {
            see(vector.word[w] & 0x7fffffffu);
        } else if constexpr (what == Scanned::Halves) {
            see(vector.word[w] & 0x7fffu);
            see(vector.word[w] >> 16 & 0x7fffu);
        } else {
            largest |= add_to_bytes(vector.word[w], bias) & 0xf0f0f0f0u;
        }
    }
    return largest;
}

} // namespace marlin::cuda
