// One multiply as plain values, and its one text form that logs print, benchmarks read and tests replay.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/types.h"

namespace marlin {

// C[m, n] = A[m, k] * dequantize(B)[k, n] + bias. Strides in elements, never 0 once complete.
struct Problem {
    bool sparse = false;
    bool act_order = false;
    bool bias = false;
    Type a_type = Type::F16;
    Type c_type = Type::F16;
    Type bias_type = Type::None; // None: as C
    Type type = Type::S4;
    Type scale_type = Type::F16;
    Type zero_type = Type::None;
    int64_t group_size = 128;
    int64_t m = 0;
    int64_t n = 0;
    int64_t k = 0;
    int64_t lda = 0; // 0: k
    int64_t ldc = 0; // 0: n

    bool operator==(const Problem &) const = default;
};

// "gemm f16 s4 g128 m16 n4096 k4096", sparse: "sp_gemm ...". Words follow in any order, only where they differ from the
// default: gcol (one scale a column), cf32 (C type), sbf16 (scale type), zu8 | zf16 | zbf16 | zf32 (zero points or
// offsets; u4 alone means zu8), bias, biasf32 (its type), perm (act-order), lda4104, ldc4104. What follows a # is a
// comment.
std::string to_text(const Problem &problem);

// Fails with Status::InvalidArgument and the word that it did not understand.
Problem problem_from_text(std::string_view text);

} // namespace marlin
