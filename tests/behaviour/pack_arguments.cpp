// What packing refuses: dimensions, sizes, contradictions and data out of range, named with their place; nothing is
// written.
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include "support/api_multiply.h"

using namespace marlin::test;

namespace {

// A packing that works, to be spoilt in one thing at a time.
struct Bench {
    explicit Bench(const WeightSpec &spec = {.k = 100, .n = 70, .group_size = 32, .zero_type = MARLIN_TYPE_U8})
        : source(spec), desc(source.desc()), input(source.input()), packed(packed_size_of(handle, desc)) {}

    // Spoilt in a field that marlin_pack_size sees as well.
    void refuse_desc(const std::function<void(marlin_pack_desc &)> &spoil, std::initializer_list<std::string> parts,
                     marlin_status status = MARLIN_INVALID_ARGUMENT) {
        marlin_pack_desc bad = desc;
        spoil(bad);
        size_t size = 4711;
        check_refusal(marlin_pack_size(handle, &bad, &size), status, handle, parts);
        CHECK(size == 4711);
        refuse(bad, input, parts, status);
    }
    void refuse_input(const std::function<void(marlin_pack_input &)> &spoil, std::initializer_list<std::string> parts,
                      marlin_status status = MARLIN_INVALID_ARGUMENT) {
        marlin_pack_input bad = input;
        spoil(bad);
        refuse(desc, bad, parts, status);
    }
    void refuse(const marlin_pack_desc &d, const marlin_pack_input &i, std::initializer_list<std::string> parts,
                marlin_status status) {
        auto made = with_size<marlin_weights>();
        const marlin_weights before = made;
        check_refusal(marlin_pack(handle, &d, &i, packed.data(), packed.size(), &made), status, handle, parts);
        CHECK(packed.untouched());
        CHECK(std::memcmp(&made, &before, sizeof made) == 0);
    }
    ~Bench() {
        auto made = with_size<marlin_weights>();
        CHECK_SUCCESS(handle, marlin_pack(handle, &desc, &input, packed.data(), packed.size(), &made));
        CHECK(packed.fences_intact());
    }

    Handle handle;
    WeightSource source;
    marlin_pack_desc desc;
    marlin_pack_input input;
    GuardedBuffer packed;
};

} // namespace

TEST_CASE("dimensions of weights go from 1 to 2147483647, groups are one of four") {
    Bench bench;
    for (const int64_t size : {int64_t{0}, int64_t{-1}, int64_t{1} << 31, INT64_MAX, INT64_MIN}) {
        bench.refuse_desc([&](marlin_pack_desc &desc) { desc.k = size; },
                          {"k is " + std::to_string(size), "expected 1"});
        bench.refuse_desc([&](marlin_pack_desc &desc) { desc.n = size; },
                          {"n is " + std::to_string(size), "expected 1"});
    }
    for (const int64_t group_size : {int64_t{0}, int64_t{16}, int64_t{-2}, int64_t{256}, INT64_MAX})
        bench.refuse_desc([&](marlin_pack_desc &desc) { desc.group_size = group_size; },
                          {"group_size is " + std::to_string(group_size), "expected 32, 64, 128 or -1"});
    for (const int64_t ld : {int64_t{69}, int64_t{-1}, INT64_MIN})
        bench.refuse_desc([&](marlin_pack_desc &desc) { desc.ld_src = ld; },
                          {"ld_src is " + std::to_string(ld), "expected 0 or >= n = 70"});
    bench.refuse_desc([](marlin_pack_desc &desc) { desc.ld_src = INT64_MAX; }, {"overflows"});
}

TEST_CASE("the size of the largest weights is computed without overflow, and needs no memory") {
    const Handle handle;
    for (const int32_t layout : {MARLIN_LAYOUT_DENSE, MARLIN_LAYOUT_CPU_DRAFT}) {
        marlin_pack_desc desc = WeightSource({}).desc();
        desc.layout = layout;
        desc.k = INT32_MAX;
        desc.n = INT32_MAX;
        desc.group_size = MARLIN_GROUP_PER_COLUMN;
        // Half a byte a weight, k and n rounded up to 2^31; two bytes a column; the header.
        CHECK(packed_size_of(handle, desc) == (size_t{1} << 61) + (size_t{1} << 32) + 256);
        desc.flags = MARLIN_PACK_ACT_ORDER;
        desc.group_size = 32;
        CHECK(packed_size_of(handle, desc) > size_t{1} << 61);
    }
}

TEST_CASE("contradictions in a description are refused") {
    Bench bench;
    bench.refuse_desc([](marlin_pack_desc &desc) { desc.layout = MARLIN_LAYOUT_CPU_SPARSE24_DRAFT; },
                      {"sparsity is 0", "layout cpu_sparse24_draft"});
    bench.refuse_desc(
        [](marlin_pack_desc &desc) {
            desc.sparsity = MARLIN_SPARSITY_SELECT_24;
            desc.layout = MARLIN_LAYOUT_DENSE;
        },
        {"sparsity is 2", "layout dense"});
    bench.refuse_desc([](marlin_pack_desc &desc) { desc.src_scale_type = 0; }, {"src_scale_type is none"});
    bench.refuse_desc([](marlin_pack_desc &desc) { desc.src_type = MARLIN_TYPE_U8; }, {"src_type is u8"});
    bench.refuse_desc([](marlin_pack_desc &desc) { desc.scale_type = MARLIN_TYPE_F32; }, {"scale_type is f32"});
    bench.refuse_desc([](marlin_pack_desc &desc) { desc.zero_type = MARLIN_TYPE_S4; }, {"zero_type is s4"});
    bench.refuse_desc([](marlin_pack_desc &desc) { desc.type = MARLIN_TYPE_F16; }, {"type is f16", "s4 or u4"});
    bench.refuse_desc([](marlin_pack_desc &desc) { desc.scale_method = MARLIN_SCALE_LEAST_SQUARES; },
                      {"scale_method is 1", "nothing is rounded"});
    bench.refuse_desc(
        [](marlin_pack_desc &desc) {
            desc.sparsity = MARLIN_SPARSITY_ALREADY_24;
            desc.flags = MARLIN_PACK_ACT_ORDER;
        },
        {"sparsity is 1", "g_idx"});
    bench.refuse_desc([](marlin_pack_desc &desc) { desc.source = MARLIN_SOURCE_MARLIN_24; }, {"source is 6"},
                      MARLIN_NOT_SUPPORTED);
    // A word source with a field that only plain sources have.
    const auto words = [](marlin_pack_desc &desc) {
        desc.source = MARLIN_SOURCE_GPTQ_V2;
        desc.src_type = desc.src_order = desc.src_zero_type = 0;
    };
    bench.refuse_desc([&](marlin_pack_desc &desc) { words(desc), desc.src_type = MARLIN_TYPE_U4; },
                      {"desc.src_type is 5", "packed words"});
    bench.refuse_desc([&](marlin_pack_desc &desc) { words(desc), desc.src_order = MARLIN_ORDER_NXK; },
                      {"desc.src_order is 1", "packed words"});
    bench.refuse_desc([&](marlin_pack_desc &desc) { words(desc), desc.src_zero_type = MARLIN_TYPE_U8; },
                      {"desc.src_zero_type is 10", "packed words"});
}

TEST_CASE("sizes of inputs are exactly what the description gives") {
    Bench bench;
    bench.refuse_input([](marlin_pack_input &input) { input.src_size -= 1; }, {"src_size is 6999", "expected", "7000"});
    bench.refuse_input([](marlin_pack_input &input) { input.src_size += 1; }, {"src_size is 7001", "expected", "7000"});
    bench.refuse_input([](marlin_pack_input &input) { input.src_size = SIZE_MAX; },
                       {"src_size is 18446744073709551615"});
    bench.refuse_input([](marlin_pack_input &input) { input.scales_size -= 2; },
                       {"scales_size is 558", "expected", "560"});
    bench.refuse_input([](marlin_pack_input &input) { input.zeros_size += 1; },
                       {"zeros_size is 281", "expected", "280"});
    bench.refuse_input([](marlin_pack_input &input) { input.memory = 2; }, {"input.memory is 2", "expected 0 to 1"});
    bench.refuse_input([](marlin_pack_input &input) { input.memory = -1; }, {"input.memory is -1"});
    const std::vector<float> importance(100, 1.0f);
    bench.refuse_input(
        [&](marlin_pack_input &input) {
            input.importance = importance.data();
            input.importance_size = 99 * 4;
        },
        {"importance", "99", "expected", "k = 100"});
    bench.refuse_input(
        [&](marlin_pack_input &input) {
            input.importance = importance.data();
            input.importance_size = 399;
        },
        {"input.importance_size is 399", "expected a multiple of 4"});
    bench.refuse_input(
        [&](marlin_pack_input &input) {
            input.importance = reinterpret_cast<const float *>(reinterpret_cast<const char *>(importance.data()) + 1);
            input.importance_size = 396;
        },
        {"importance is 0x", "expected a multiple of 4 bytes"});
}

TEST_CASE("arrays that a flag promises are given exactly then") {
    Bench bench;
    const std::vector<int32_t> g_idx(100, 0);
    const std::vector<float> column_scales(70, 1.0f);
    bench.refuse_input(
        [&](marlin_pack_input &input) {
            input.g_idx = g_idx.data();
            input.g_idx_size = 400;
        },
        {"input.g_idx is given", "MARLIN_PACK_ACT_ORDER"});
    bench.refuse_input(
        [&](marlin_pack_input &input) {
            input.column_scales = column_scales.data();
            input.column_scales_size = 280;
        },
        {"input.column_scales is given", "MARLIN_PACK_COLUMN_SCALES"});
    marlin_pack_desc desc = bench.desc;
    desc.flags = MARLIN_PACK_ACT_ORDER;
    bench.refuse(desc, bench.input, {"input.g_idx is NULL", "MARLIN_PACK_ACT_ORDER"}, MARLIN_INVALID_ARGUMENT);
    desc.flags = MARLIN_PACK_COLUMN_SCALES;
    bench.refuse(desc, bench.input, {"input.column_scales is NULL"}, MARLIN_INVALID_ARGUMENT);
}

TEST_CASE("the packed buffer is aligned, large enough and apart from the input") {
    Bench bench;
    auto made = with_size<marlin_weights>();
    const auto pack_into = [&](void *packed, size_t size) {
        return marlin_pack(bench.handle, &bench.desc, &bench.input, packed, size, &made);
    };
    const size_t needed = bench.packed.size();
    char *const packed = bench.packed.as<char>();
    CHECK_REFUSED(bench.handle, MARLIN_INVALID_ARGUMENT, pack_into(packed, needed - 1),
                  "packed_size is " + std::to_string(needed - 1), "expected at least " + std::to_string(needed));
    for (const int offset : {1, 16, 128})
        CHECK_REFUSED(bench.handle, MARLIN_INVALID_ARGUMENT, pack_into(packed + offset, needed), "packed is 0x",
                      "expected a multiple of 256 bytes");
    CHECK(bench.packed.untouched());

    // The same sources, copied into the very buffer that is to be filled.
    GuardedBuffer both(needed + 65536);
    const marlin_pack_input good = bench.input;
    const size_t sizes[] = {good.src_size, good.scales_size, good.zeros_size};
    const char *const names[] = {"packed overlaps input.src", "packed overlaps input.scales",
                                 "packed overlaps input.zeros"};
    const void *marlin_pack_input::*const members[] = {&marlin_pack_input::src, &marlin_pack_input::scales,
                                                       &marlin_pack_input::zeros};
    for (size_t i = 0; i < 3; ++i)
        for (const size_t place : {size_t{0}, needed - 8}) {
            bench.input = good;
            std::memcpy(both.as<char>() + place, good.*members[i], sizes[i]);
            bench.input.*members[i] = both.as<char>() + place;
            CHECK_REFUSED(bench.handle, MARLIN_INVALID_ARGUMENT, pack_into(both.data(), needed), names[i]);
            CHECK(std::memcmp(both.as<char>() + place, good.*members[i], sizes[i]) == 0);
        }
    bench.input = good;
}

TEST_CASE("codes and zero points out of range are refused with their place") {
    Bench bench;
    std::vector<uint8_t> codes(7000, 3);
    codes[4 * 70 + 5] = 16;
    bench.refuse_input([&](marlin_pack_input &input) { input.src = codes.data(); }, {"16", "row 4", "column 5"});
    std::vector<uint8_t> zeros(280, 16);
    zeros[2 * 70 + 69] = 17;
    bench.refuse_input([&](marlin_pack_input &input) { input.zeros = zeros.data(); }, {"17", "group 2", "column 69"});
    zeros[2 * 70 + 69] = 16;
    marlin_pack_input input = bench.input;
    input.zeros = zeros.data(); // 16 itself is a zero point
    auto made = with_size<marlin_weights>();
    CHECK_SUCCESS(bench.handle,
                  marlin_pack(bench.handle, &bench.desc, &input, bench.packed.data(), bench.packed.size(), &made));
}

TEST_CASE("scales and values that are not finite or do not fit are refused with their place") {
    Bench bench;
    std::vector<uint16_t> scales(280, 0x2c00);
    for (const uint16_t bad : {0x7c00, 0xfc00, 0x7e00}) {
        scales[3 * 70 + 7] = bad;
        bench.refuse_input([&](marlin_pack_input &input) { input.scales = scales.data(); }, {"group 3", "column 7"});
    }
    std::vector<float> wide(280, 0.5f);
    wide[70] = 65520.0f; // rounds to infinity in F16
    marlin_pack_desc desc = bench.desc;
    desc.src_scale_type = MARLIN_TYPE_F32;
    marlin_pack_input input = bench.input;
    input.scales = wide.data();
    input.scales_size = wide.size() * 4;
    bench.refuse(desc, input, {"group 1", "column 0", "f16"}, MARLIN_INVALID_ARGUMENT);

    std::vector<float> values(7000, 0.25f);
    desc = with_size<marlin_pack_desc>();
    desc.src_type = MARLIN_TYPE_F32;
    desc.k = 100;
    desc.n = 70;
    desc.group_size = 32;
    input = with_size<marlin_pack_input>();
    input.src = values.data();
    input.src_size = values.size() * 4;
    for (const float bad : {INFINITY, -INFINITY, NAN}) {
        values[99 * 70 + 69] = bad;
        bench.refuse(desc, input, {"row 99", "column 69", "expected a finite number"}, MARLIN_INVALID_ARGUMENT);
    }
    values[99 * 70 + 69] = std::numeric_limits<float>::max();
    bench.refuse(desc, input, {"group 3", "column 69", "f16"}, MARLIN_INVALID_ARGUMENT);
    values[99 * 70 + 69] = 0.25f;
    std::vector<float> importance(100, 1.0f);
    input.importance = importance.data();
    input.importance_size = 400;
    for (const float bad : {-1.0f, NAN, INFINITY}) {
        importance[42] = bad;
        bench.refuse(desc, input, {"importance", "42"}, MARLIN_INVALID_ARGUMENT);
    }
}

TEST_CASE("group numbers of act-order out of range are refused with their row") {
    Bench bench({.k = 100, .n = 20, .group_size = 32, .act_order = true});
    std::vector<int32_t> g_idx(100, 0);
    for (const int32_t bad : {-1, 4, INT32_MAX, INT32_MIN}) {
        g_idx[77] = bad;
        bench.refuse_input([&](marlin_pack_input &input) { input.g_idx = g_idx.data(); },
                           {"g_idx[77] is " + std::to_string(bad), "expected 0 .. 3"});
    }
    bench.refuse_input([](marlin_pack_input &input) { input.g_idx_size -= 4; }, {"g_idx has 99 entries", "k = 100"});
}
