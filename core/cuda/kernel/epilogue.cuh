// From FP32 sums to C: the sum over warps, bias, one rounding, and stores as wide as the alignment of C allows.
#pragma once

#include "cuda/kernel/args.h"
#include "cuda/kernel/group_terms.cuh"
#include "cuda/kernel/ptx.cuh"

namespace marlin::cuda {

// The bias of a tile's features in shared memory. It is read long before: a trip to memory would be waited for. Two
// buffers in turn: a barrier inside every tile is enough.
template <int features, int threads>
struct TileBias {
    static_assert(features <= threads);
    static constexpr int kSharedSize = 2 * 4 * features;

    float *shared;
    uint32_t bits = 0; // of a thread's feature of the tile to be begun
    int turn = 0;

    // For the next begin_tile(). Predicates, no branches: around those the compiler makes branches of copies too.
    __device__ __forceinline__ void read(const W4A16Args &args, int64_t first_feature) {
        const bool wide = args.bias_type == Type::F32;
        const int64_t feature = first_feature + static_cast<int>(threadIdx.x);
        const bool wanted =
            args.bias != nullptr && static_cast<int>(threadIdx.x) < features && feature < int64_t{args.n};
        bits = ptx::load_bits(static_cast<const uint8_t *>(args.bias) + feature * (wide ? 4 : 2), wide, wanted);
    }
    __device__ __forceinline__ void begin_tile(const W4A16Args &args) {
        turn ^= 1;
        const float of_16_bits = half_of_bits(static_cast<uint16_t>(bits), args.bias_type);
        if (static_cast<int>(threadIdx.x) < features)
            shared[turn * features + static_cast<int>(threadIdx.x)] =
                args.bias_type == Type::F32 ? __uint_as_float(bits) : of_16_bits;
    }
    // Of feature i of the tile.
    __device__ __forceinline__ float operator[](int i) const { return shared[turn * features + i]; }
};

__device__ __forceinline__ uint32_t round_pair(float first, float second, Type type) {
    return type == Type::BF16 ? as_bits(__floats2bfloat162_rn(first, second))
                              : as_bits(__floats2half2_rn(first, second));
}

__device__ __forceinline__ void store_one(const W4A16Args &args, int64_t token, int64_t feature, float value) {
    const int64_t at = token * args.ldc + feature;
    if (args.c_type == Type::F32)
        static_cast<float *>(args.c)[at] = value;
    else
        static_cast<uint16_t *>(args.c)[at] = static_cast<uint16_t>(round_pair(value, 0.0f, args.c_type));
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
    if (args.store_features >= 2) {
        *reinterpret_cast<uint32_t *>(c) = pair;
        return;
    }
    c[0] = static_cast<uint16_t>(pair);
    if (feature + 1 < args.n)
        c[1] = static_cast<uint16_t>(pair >> 16);
}

// The sum over the warps of a CTA, in their order, and C, two features a thread. Warp w left its sums at sums_of(w):
// `features` for every token, `stride` apart.
template <int warps, int features, int stride, typename SumsOf>
__device__ __forceinline__ void store_sums(const W4A16Args &args, int64_t first_token, int tokens,
                                           int64_t first_feature, int64_t end_feature, const SumsOf &sums_of,
                                           const TileBias<features, 32 * warps> &bias) {
    for (int x = threadIdx.x; x < tokens * (features / 2); x += 32 * warps) {
        const int token = x / (features / 2);
        const int pair = x % (features / 2) * 2;
        const int64_t feature = first_feature + pair;
        if (feature >= end_feature)
            continue;
        float2 sum = {};
#pragma unroll
        for (int warp = 0; warp < warps; ++warp) {
            const float2 value = *reinterpret_cast<const float2 *>(sums_of(warp) + token * stride + pair);
            sum.x += value.x;
            sum.y += value.y;
        }
        if (args.bias != nullptr) {
            sum.x += bias[pair];
            sum.y += bias[pair + 1];
        }
        store_pair(args, first_token + token, feature, sum.x, sum.y);
    }
}

__device__ __forceinline__ float4 sum_of(const float4 &x, const float4 &y) {
    return make_float4(x.x + y.x, x.y + y.y, x.z + y.z, x.w + y.w);
}

// Some fragments of a tile that CTAs share, added up in the order of the CTAs: each left fragment f at part(cta, f), in
// the workspace. So many CTAs' are under way at a time: a trip to L2 and back is what this costs.
template <int ctas, int fragments, typename Part>
__device__ __forceinline__ void add_parts(float4 (&sum)[fragments], int first_cta, int last_cta, const Part &part) {
#pragma unroll
    for (int f = 0; f < fragments; ++f)
        sum[f] = __ldcg(part(first_cta, f));
#pragma unroll ctas
    for (int cta = first_cta + 1; cta <= last_cta; ++cta) {
        float4 x[fragments];
#pragma unroll
        for (int f = 0; f < fragments; ++f)
            x[f] = __ldcg(part(cta, f));
#pragma unroll
        for (int f = 0; f < fragments; ++f)
            sum[f] = sum_of(sum[f], x[f]);
    }
}

// One accumulator fragment of an MMA: 16 features x 8 tokens; lane (g, t) holds features g (x[0], x[1]) and g + 8 of
// tokens 2t and 2t + 1. `first_feature` counts from the tile's.
template <typename Bias>
__device__ __forceinline__ void add_bias(const Bias &bias, int first_feature, float (&x)[4], int lane) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        const float of_feature = bias[first_feature + lane / 4 + 8 * half];
        x[2 * half] += of_feature;
        x[2 * half + 1] += of_feature;
    }
}

// Of a fragment in 16 bits, by a transpose and one exchange: four features of token g, the low ones where t is even,
// the high ones where it is odd (see four_features_at).
__device__ __forceinline__ uint2 four_features(float x0, float x1, float x2, float x3, Type type, bool even) {
    const uint32_t low = ptx::transpose(round_pair(x0, x1, type));
    const uint32_t high = ptx::transpose(round_pair(x2, x3, type));
    // Now features 2t, 2t + 1 (and 8 further) of token g.
    const uint32_t other = __shfl_xor_sync(0xffffffffu, even ? high : low, 1);
    return even ? make_uint2(low, other) : make_uint2(other, high);
}
// The first of them, from the fragment's first feature.
__device__ __forceinline__ int four_features_at(int t) {
    return t / 2 * 4 + t % 2 * 8;
}

// For store_features == 4.
__device__ __forceinline__ void store_fragment_wide(const W4A16Args &args, int64_t first_token, int64_t first_feature,
                                                    const float (&x)[4], int lane) {
    const int g = lane / 4;
    const int t = lane % 4;
    const uint2 four = four_features(x[0], x[1], x[2], x[3], args.c_type, t % 2 == 0);
    const int64_t feature = first_feature + four_features_at(t);
    if (first_token + g < args.m && feature < args.n)
        *reinterpret_cast<uint2 *>(static_cast<uint16_t *>(args.c) + (first_token + g) * args.ldc + feature) = four;
}

// For any alignment and type.
__device__ __forceinline__ void store_fragment(const W4A16Args &args, int64_t first_token, int64_t first_feature,
                                               const float (&x)[4], int lane) {
#pragma unroll
    for (int e = 0; e < 4; ++e) {
        const int64_t token = first_token + lane % 4 * 2 + e % 2;
        const int64_t feature = first_feature + lane / 4 + e / 2 * 8;
        if (token < args.m && feature < args.n)
            store_one(args, token, feature, x[e]);
    }
}

} // namespace marlin::cuda
