// A weight matrix as plain numbers, and each source format written down once more, straight from its description.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "pack/request.h"

namespace marlin::test {

enum class Zeros { None, Integer, Offset };

// W[k, n] = (code - zero) * scale or code * scale + zero, with group[k] the row of scale and zero.
struct Weights {
    int64_t k = 0;
    int64_t n = 0;
    int64_t group_size = 0;
    int64_t groups = 0;
    Zeros zeros = Zeros::None;
    std::vector<int> code;      // [k][n], 0..15
    std::vector<float> scale;   // [groups][n], exact in FP16 and BF16
    std::vector<float> zero;    // [groups][n]; empty: 8
    std::vector<int32_t> group; // [k]

    double value(int64_t row, int64_t column) const;
};

struct WeightsOptions {
    int64_t k = 1;
    int64_t n = 1;
    int64_t group_size = 128;
    Zeros zeros = Zeros::None;
    bool act_order = false; // ragged groups in random order
    bool pattern24 = false; // at most two of four rows are not zero
    int max_zero = 15;
};
Weights random_weights(const WeightsOptions &options, std::mt19937 &rng);

// Bytes of a request's arrays; the request points into them.
struct SourceArrays {
    std::vector<std::byte> src;
    std::vector<std::byte> scales;
    std::vector<std::byte> zeros;
    std::vector<int32_t> g_idx;
};

struct SourceForm {
    Source source = Source::Plain;
    Type src_type = Type::U4; // plain: S4 or U4
    Order order = Order::KxN;
    Type scale_type = Type::F16;
    Type zero_type = Type::U8; // plain offsets: F16, BF16, F32
    int64_t ld_padding = 0;    // plain
};
// Fails a requirement if the form cannot hold the weights.
PackRequest encode(const Weights &weights, const SourceForm &form, SourceArrays &arrays);

// Numbers as bytes.
void append_number(std::vector<std::byte> &bytes, double value, Type type);
double number_at(const std::byte *bytes, int64_t index, Type type);

} // namespace marlin::test
