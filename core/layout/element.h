// One packed weight, scale or zero at a time: how its bytes are read and written.
#pragma once

#include <cstdint>
#include <cstring>

#include "common/half.h"
#include "common/host_device.h"
#include "layout/header.h"

namespace marlin {

inline unsigned read_bits(const std::byte *body, BitsAt at, unsigned mask) {
    return (std::to_integer<unsigned>(body[at.byte]) >> at.shift) & mask;
}

// The unsigned code 0..15 of a packed weight, and whether 2:4 sparsity left it out.
struct Element {
    unsigned code;
    bool pruned;
};

inline Element read_element(const WeightsView &w, int64_t k, int64_t n) {
    const Geometry &g = w.geometry;
    const unsigned flip = code_xor(g.shape.layout);
    if (!g.sparse())
        return {read_bits(w.body, g.code(k, n), 15u) ^ flip, false};
    for (int slot = 0; slot < 2; ++slot)
        if (read_bits(w.body, g.metadata(k / 4, slot, n), 3u) == static_cast<unsigned>(k % 4))
            return {read_bits(w.body, g.kept_code(k / 4, slot, n), 15u) ^ flip, false};
    return {0u, true};
}

MARLIN_HD inline float read_value(const std::byte *at, Type type) {
    if (type == Type::F32) {
        float value = 0.0f;
        std::memcpy(&value, at, sizeof value);
        return value;
    }
    if (type == Type::U8)
        return static_cast<float>(std::to_integer<unsigned>(*at));
    uint16_t bits = 0;
    std::memcpy(&bits, at, sizeof bits);
    return half_to_f32(bits, type);
}

// The bits, lowest first, that read_value reads back: halves are rounded, U8 takes whole numbers 0..255.
MARLIN_HD constexpr uint32_t stored_bits(float value, Type type) {
    if (type == Type::U8)
        return static_cast<uint32_t>(value);
    return type == Type::F32 ? std::bit_cast<uint32_t>(value) : f32_to_half(value, type);
}

MARLIN_HD inline float read_scale(const WeightsView &w, int64_t group, int64_t n) {
    return read_value(w.body + w.geometry.scale(group, n), w.shape().scale_type);
}

// A weight is (code - zero) * scale + offset: one of zero and offset at most is not trivial.
struct ZeroAndOffset {
    float zero;
    float offset;
};

MARLIN_HD inline ZeroAndOffset read_zero(const WeightsView &w, int64_t group, int64_t n) {
    const Type type = w.shape().zero_type;
    if (type == Type::None)
        return {8.0f, 0.0f}; // S4 stores code + 8
    const float value = read_value(w.body + w.geometry.zero(group, n), type);
    return type == Type::U8 ? ZeroAndOffset{value, 0.0f} : ZeroAndOffset{0.0f, value};
}

} // namespace marlin
