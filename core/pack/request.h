// What is asked of the packer, in core's own terms: plain values and host pointers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/types.h"
#include "layout/header.h"

namespace marlin {

// The numbers are those of marlin_source.
enum class Source : int32_t {
    Plain = 0,
    GptqV1 = 1,
    GptqV2 = 2,
    Awq = 3,
    CompressedTensors = 4,
    Marlin = 5,
    Marlin24 = 6,
};
enum class Order : int32_t { KxN = 0, NxK = 1 };
enum class ScaleMethod : int32_t { MinMax = 0, LeastSquares = 1 };
enum class Sparsity : int32_t { Dense = 0, Already24 = 1, Select24 = 2 };

struct PackRequest {
    Source source = Source::Plain;
    Type src_type = Type::F16;        // Plain only
    Order src_order = Order::KxN;     // Plain only
    Type src_scale_type = Type::None; // of `scales`
    Type src_zero_type = Type::None;  // of `zeros`, Plain only
    Type type = Type::None;           // stored; None: what the source holds
    Type zero_type = Type::None;      // stored; None: what the source holds (rounding to U4: U8)
    Type scale_type = Type::None;     // stored; None: F16
    Layout layout = Layout::Default;  // never Default: the backend has chosen
    ScaleMethod scale_method = ScaleMethod::MinMax;
    Sparsity sparsity = Sparsity::Dense;
    bool act_order = false; // g_idx is given
    bool has_column_scales = false;
    int64_t k = 0;
    int64_t n = 0;
    int64_t ld_src = 0; // 0: tight
    int64_t group_size = 0;

    // Host memory. Empty spans where the call gave NULL; absent while only sizes are asked for.
    std::span<const std::byte> src;
    std::span<const std::byte> scales;
    std::span<const std::byte> zeros;
    std::span<const int32_t> g_idx;
    std::span<const float> importance;
    std::span<const float> column_scales;
};

// The destination of unpack; NULL pointers are not wanted.
struct UnpackRequest {
    Type dst_type = Type::F16; // F16, BF16, F32: values; S4, U4: one code a byte
    Order dst_order = Order::KxN;
    int64_t ld_dst = 0; // 0: tight
    std::span<std::byte> dst;
    std::span<std::byte> scales; // groups x n of the stored scale type
    std::span<std::byte> zeros;  // groups x n of the stored zero type
};

} // namespace marlin
