// From a warpgroup's sums to C: bias, one rounding, stores. Little code and few registers: it follows a loop that
// leaves neither.
#pragma once

#include "cuda/kernel/args.h"
#include "cuda/kernel/epilogue.cuh"

namespace marlin::cuda {

__device__ __forceinline__ float bias_of(const W4A16Args &args, int64_t feature) {
    if (args.bias == nullptr)
        return 0.0f;
    const int64_t size = args.bias_type == Type::F32 ? 4 : 2;
    return load_float(static_cast<const uint8_t *>(args.bias) + feature * size, args.bias_type);
}

// Where a lane's part of 16 features x 8 tokens goes (see add_bias), tokens from first_token, features from
// first_feature. Of a tile's tokens some may be another's or beyond A: numbered from `first_number`, those from 0 to
// `tokens` - 1 are stored.
struct Output {
    const W4A16Args &args;
    int tokens; // a constant: what is compared costs no register
    int first_number;
    int first_token;
    int first_feature;
    int lane;
    float2 bias; // of features g and g + 8

    // Bias of features g and g + 8 from first_feature on, 0 without.
    static __device__ __forceinline__ float2 load_bias(const W4A16Args &args, int first_feature, int lane) {
        const int low = first_feature + lane / 4;
        return make_float2(low < args.n ? bias_of(args, low) : 0.0f, low + 8 < args.n ? bias_of(args, low + 8) : 0.0f);
    }

    // Fragments of 8 tokens, the n-th by visit(n) where exists(n), `stride` fragments apart; three loops, none with a
    // branch.
    template <int fragments, int stride, typename Visit, typename Exists>
    __device__ __forceinline__ void store_all(const Visit &visit, const Exists &exists) const {
        const float2 b = bias;
        const auto with_bias = [&](int n) {
            const float4 x = visit(n);
            return make_float4(x.x + b.x, x.y + b.x, x.z + b.y, x.w + b.y);
        };
        if (args.store_features == 4) {
            Wide<stride> to(*this);
#pragma unroll
            for (int n = 0; n < fragments; ++n)
                to.store(with_bias(n), exists(n));
        } else if (args.c_type == Type::F32) {
            Scalars<float, stride> to(*this);
#pragma unroll
            for (int n = 0; n < fragments; ++n)
                to.store(with_bias(n), exists(n));
        } else {
            Scalars<uint16_t, stride> to(*this);
#pragma unroll
            for (int n = 0; n < fragments; ++n)
                to.store(with_bias(n), exists(n));
        }
    }

    // Four 16-bit features of a token a lane.
    template <int stride>
    struct Wide {
        uint16_t *at;
        int64_t step;
        int tokens;
        int number; // of the lane's token
        Type type;
        bool even;

        __device__ __forceinline__ explicit Wide(const Output &output)
            : step(8 * stride * output.args.ldc), tokens(output.tokens), number(output.first_number + output.lane / 4),
              type(output.args.c_type), even(output.lane % 2 == 0) {
            const int feature = output.first_feature + four_features_at(output.lane % 4);
            if (feature >= output.args.n)
                number = tokens;
            at = static_cast<uint16_t *>(output.args.c) + (output.first_token + output.lane / 4) * output.args.ldc +
                 feature;
        }
        // The next fragment.
        __device__ __forceinline__ void store(const float4 &x, bool exists) {
            const uint2 four = four_features(x.x, x.y, x.z, x.w, type, even);
            if (exists && static_cast<unsigned>(number) < static_cast<unsigned>(tokens))
                *reinterpret_cast<uint2 *>(at) = four;
            at += step;
            number += 8 * stride;
        }
    };

    // Any alignment; eight lanes make 32 bytes of FP32.
    template <typename Element, int stride>
    struct Scalars {
        Element *at;
        int64_t ldc;
        int tokens;
        int number;   // of the first of the lane's two tokens
        int features; // 0, 1 (g) or 2 (g + 8 too)
        Type type;

        __device__ __forceinline__ explicit Scalars(const Output &output)
            : ldc(output.args.ldc), tokens(output.tokens), number(output.first_number + output.lane % 4 * 2),
              type(output.args.c_type) {
            const int feature = output.first_feature + output.lane / 4;
            features = (feature < output.args.n ? 1 : 0) + (feature + 8 < output.args.n ? 1 : 0);
            at = static_cast<Element *>(output.args.c) + (output.first_token + output.lane % 4 * 2) * ldc + feature;
        }
        __device__ __forceinline__ void put(Element *to, float value) const {
            if constexpr (sizeof(Element) == 4)
                *to = value;
            else
                *to = static_cast<uint16_t>(round_pair(value, 0.0f, type));
        }
        __device__ __forceinline__ void store(const float4 &x, bool exists) {
            const bool first = exists && static_cast<unsigned>(number) < static_cast<unsigned>(tokens);
            const bool second = exists && static_cast<unsigned>(number + 1) < static_cast<unsigned>(tokens);
            if (features > 0 && first)
                put(at, x.x);
            if (features > 0 && second)
                put(at + ldc, x.y);
            if (features > 1 && first)
                put(at + 8, x.z);
            if (features > 1 && second)
                put(at + ldc + 8, x.w);
            at += 8 * stride * ldc;
            number += 8 * stride;
        }
    };
};

} // namespace marlin::cuda
