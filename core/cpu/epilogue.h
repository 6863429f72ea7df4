// What ends a scale block and what ends a column: scaling of sums, then bias and the one rounding to C.
// For instruction-set files only: everything is local to the file that includes it.
#pragma once

#include "cpu/kernel.h"

namespace marlin::cpu {
namespace {

constexpr int kFeatures = 64; // of a packed column

// Scales and zero points of one scale block for V::width features. A weight is (u - 8) * scale + beta, where u - 8 is
// what the kernels decode: beta = (8 - zero) * scale (exact), or offset + 8 * scale (one rounding).
template <typename V>
struct BlockScales {
    typename V::Float scale;
    typename V::Float beta = V::zero();

    BlockScales(const ColumnArgs &args, int64_t run, int64_t block, int first_feature) {
        const std::byte *scales =
            args.scales + run * args.scales_run_size + block * args.scales_block_size + first_feature * 2;
        scale = V::load_as(scales, args.scale_type);
        if (args.zero_type == Type::None)
            return;
        const std::byte *zeros = args.zeros + run * args.zeros_run_size + block * args.zeros_block_size;
        const typename V::Float eight = V::set(8.0f);
        if (args.zero_type == Type::U8)
            beta = V::mul(V::sub(eight, V::load_u8(zeros + first_feature)), scale);
        else
            beta = V::fma(eight, scale,
                          V::load_as(zeros + first_feature * (args.zero_type == Type::F32 ? 4 : 2), args.zero_type));
    }

    // total += scale * sum of products + beta * sum of activations, in this order.
    void add_to(float *total, typename V::Float products) const {
        V::store(total, V::fma(products, scale, V::load(total)));
    }
    void add_to(float *total, typename V::Float products, typename V::Float activations) const {
        V::store(total, V::fma(activations, beta, V::fma(products, scale, V::load(total))));
    }
};

// totals: [rows][64]. The loads and stores are whole vectors: a column with fewer features goes through buffers.
template <typename V>
void write_c(const ColumnArgs &args, const float *totals) {
    alignas(64) std::byte bias_buffer[kFeatures * 4] = {};
    alignas(64) std::byte c_buffer[kFeatures * 4];
    const bool whole = args.features == kFeatures;
    const std::byte *bias = args.bias;
    const int64_t bias_size = args.bias_type == Type::F32 ? 4 : 2;
    const int64_t c_size = args.c_type == Type::F32 ? 4 : 2;
    if (bias != nullptr && !whole) {
        __builtin_memcpy(bias_buffer, bias, static_cast<size_t>(args.features * bias_size));
        bias = bias_buffer;
    }
    for (int32_t row = 0; row < args.rows; ++row) {
        std::byte *c = args.c + row * args.c_row_stride;
        std::byte *out = whole ? c : c_buffer;
        for (int f = 0; f < kFeatures; f += V::width) {
            typename V::Float value = V::load(totals + row * kFeatures + f);
            if (bias != nullptr)
                value = V::add(value, V::load_as(bias + f * bias_size, args.bias_type));
            V::store_as(out + f * c_size, args.c_type, value);
        }
        if (!whole)
            __builtin_memcpy(c, c_buffer, static_cast<size_t>(args.features * c_size));
    }
}

} // namespace
} // namespace marlin::cpu
