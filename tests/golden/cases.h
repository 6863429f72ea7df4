// The weights behind the golden bytes: inputs by formula, so that any language can make them again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "pack/request.h"

namespace marlin::test {

// Formulas of k (row), n (column), g (group) in integers, as the manifest prints them and as make_input() computes
// them.
struct GoldenCase {
    std::string name;
    Layout layout;
    Type src_type;  // U4: codes; F16: values rounded by least squares
    Type type;      // stored
    Type zero_type; // stored, and of the source's zeros
    Type scale_type;
    Sparsity sparsity;
    int64_t k;
    int64_t n;
    int64_t group_size;
    bool act_order;
    bool column_scales;
};

std::vector<GoldenCase> golden_cases();

struct GoldenInput {
    std::vector<std::byte> src;
    std::vector<std::byte> scales;
    std::vector<std::byte> zeros;
    std::vector<int32_t> g_idx;
    std::vector<float> importance;
    std::vector<float> column_scales;
    PackRequest request; // points into the arrays above: not to be copied
};
void make_input(const GoldenCase &golden, GoldenInput &input);

// One object of the manifest.
std::string manifest_entry(const GoldenCase &golden, int64_t size, uint64_t body_checksum);

} // namespace marlin::test
