// Reading one scale block of one row of A as floats, permuted and padded, and its sum: what all re-packing starts with.
// For instruction-set files only: everything is local to the file that includes it.
#pragma once

#include "cpu/kernel.h"

namespace marlin::cpu {
namespace {

// A scale block has at most 128 rows of W.
constexpr int kMaxBlockK = 128;

template <typename V>
float load_one(const std::byte *p, Type type) {
    if (type == Type::F32) {
        float value;
        __builtin_memcpy(&value, p, sizeof value);
        return value;
    }
    uint16_t bits;
    __builtin_memcpy(&bits, p, sizeof bits);
    if (type == Type::F16)
        return V::from_f16(bits);
    const uint32_t wide = static_cast<uint32_t>(bits) << 16;
    float value;
    __builtin_memcpy(&value, &wide, sizeof value);
    return value;
}

// Fills block[0, block_k) from packed rows k0.. of one row of A.
template <typename V>
void load_block(const RepackArgs &args, const std::byte *row, int64_t k0, float *block) {
    const int64_t element = args.a_type == Type::F32 ? 4 : 2;
    if (args.perm == nullptr && k0 + args.block_k <= args.k) {
        for (int64_t i = 0; i < args.block_k; i += V::width)
            V::store(block + i, V::load_as(row + (k0 + i) * element, args.a_type));
        return;
    }
    for (int64_t i = 0; i < args.block_k; ++i) {
        int64_t source = k0 + i;
        if (args.perm != nullptr)
            source = args.perm[source];
        block[i] = source >= 0 && source < args.k ? load_one<V>(row + source * element, args.a_type) : 0.0f;
    }
}

// One fixed order, whatever the rows around: 32 strided sums, then pairwise.
template <typename V>
float sum_block(const float *block, int64_t block_k) {
    constexpr int lanes = 32;
    typename V::Float partial[lanes / V::width];
    for (int v = 0; v < lanes / V::width; ++v)
        partial[v] = V::load(block + v * V::width);
    for (int64_t i = lanes; i < block_k; i += lanes)
        for (int v = 0; v < lanes / V::width; ++v)
            partial[v] = V::add(partial[v], V::load(block + i + v * V::width));
    float sums[lanes];
    for (int v = 0; v < lanes / V::width; ++v)
        V::store(sums + v * V::width, partial[v]);
    for (int half = lanes / 2; half > 0; half /= 2)
        for (int i = 0; i < half; ++i)
            sums[i] += sums[i + half];
    return sums[0];
}

// Calls write(row, k0, block) for every scale block of every row of the row block, sums taken on the way.
template <typename V, typename Write>
void for_each_block(const RepackArgs &args, Write write) {
    alignas(64) float block[kMaxBlockK];
    for (int32_t row = 0; row < args.rows; ++row)
        for (int64_t k0 = args.k_begin; k0 < args.k_end; k0 += args.block_k) {
            load_block<V>(args, args.a + row * args.row_stride, k0, block);
            if (args.sums != nullptr)
                args.sums[k0 / args.block_k * args.rows + row] = sum_block<V>(block, args.block_k);
            write(row, k0, block);
        }
}

} // namespace
} // namespace marlin::cpu
