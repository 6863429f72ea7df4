// From FP32 sums to C: bias, one rounding, and stores as wide as the alignment of C allows.
#pragma once

#include "cuda/kernel/args.h"
#include "cuda/kernel/group_terms.cuh"

namespace marlin::cuda {

__device__ __forceinline__ float bias_of(const W4A16Args &args, int64_t feature) {
    if (args.bias == nullptr)
        return 0.0f;
    const int64_t size = args.bias_type == Type::F32 ? 4 : 2;
    return load_float(static_cast<const uint8_t *>(args.bias) + feature * size, args.bias_type);
}

__device__ __forceinline__ uint32_t round_pair(float first, float second, Type type) {
    return type == Type::BF16 ? as_bits(__floats2bfloat162_rn(first, second))
                              : as_bits(__floats2half2_rn(first, second));
}

// Features `feature` and the next of one token; the caller has added the bias.
__device__ __forceinline__ void store_pair(const W4A16Args &args, int64_t token, int64_t feature, float first,
                                           float second) {
    const int64_t at = token * args.ldc + feature;
    if (args.c_type == Type::F32) {
        float *c = static_cast<float *>(args.c) + at;
        c[0] = first;
        if (feature + 1 < args.n)
            c[1] = second;
        return;
    }
    const uint32_t pair = round_pair(first, second, args.c_type);
    auto *c = static_cast<uint16_t *>(args.c) + at;
    if (args.wide_stores) {
        *reinterpret_cast<uint32_t *>(c) = pair;
        return;
    }
    c[0] = static_cast<uint16_t>(pair);
    if (feature + 1 < args.n)
        c[1] = static_cast<uint16_t>(pair >> 16);
}

} // namespace marlin::cuda
