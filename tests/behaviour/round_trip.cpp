// Pack, then unpack: the same codes, scales and zeros for every layout, and outputs of unpack that are only what was
// asked for.
#include <cstring>

#include "support/api_weights.h"

using namespace marlin::test;

namespace {

marlin_unpack_desc codes_of(const WeightSource &source, GuardedBuffer &codes) {
    auto desc = with_size<marlin_unpack_desc>();
    desc.dst_type = source.is_signed() ? MARLIN_TYPE_S4 : MARLIN_TYPE_U4;
    desc.dst = codes.data();
    desc.dst_size = codes.size();
    return desc;
}

} // namespace

TEST_CASE("codes and values come back from every layout as they went in") {
    const Handle handle;
    Random random(11);
    for (int round = 0; round < 60; ++round) {
        WeightSpec spec;
        spec.k = random.between(1, 300);
        spec.n = random.between(1, 140);
        spec.group_size = random.pick({int64_t{32}, int64_t{64}, int64_t{128}, int64_t{MARLIN_GROUP_PER_COLUMN}});
        spec.sparse = random.chance();
        spec.zero_type =
            spec.sparse ? static_cast<int32_t>(MARLIN_TYPE_NONE)
                        : random.pick({int32_t{MARLIN_TYPE_NONE}, int32_t{MARLIN_TYPE_U8}, int32_t{MARLIN_TYPE_F32}});
        spec.act_order = !spec.sparse && random.chance();
        const bool nvidia = random.chance();
        spec.layout = nvidia ? MARLIN_LAYOUT_DENSE : MARLIN_LAYOUT_CPU_DRAFT;
        if (spec.sparse)
            spec.layout = nvidia ? MARLIN_LAYOUT_SPARSE24_DRAFT : MARLIN_LAYOUT_CPU_SPARSE24_DRAFT;
        spec.seed = random.next();
        CAPTURE(spec.k, spec.n, spec.group_size, spec.zero_type, spec.layout, spec.act_order);
        TestWeights weights(handle, spec);
        WeightSource source = weights.source();

        GuardedBuffer codes(static_cast<size_t>(spec.k * spec.n));
        const marlin_unpack_desc code_desc = codes_of(source, codes);
        CHECK_SUCCESS(handle, marlin_unpack(handle, weights.get(), &code_desc));
        GuardedBuffer values(static_cast<size_t>(spec.k * spec.n) * 4);
        auto value_desc = with_size<marlin_unpack_desc>();
        value_desc.dst_type = MARLIN_TYPE_F32;
        value_desc.dst_order = MARLIN_ORDER_NXK;
        value_desc.dst = values.data();
        value_desc.dst_size = values.size();
        CHECK_SUCCESS(handle, marlin_unpack(handle, weights.get(), &value_desc));
        CHECK((codes.fences_intact() && values.fences_intact()));
        int wrong_codes = 0;
        int wrong_values = 0;
        for (int64_t k = 0; k < spec.k; ++k)
            for (int64_t n = 0; n < spec.n; ++n) {
                const int code = codes.as<uint8_t>()[k * spec.n + n];
                wrong_codes += (source.is_signed() ? (code + 8) & 0xff : code) == source.code(k, n) ? 0 : 1;
                // code * scale and the offset are exact in FP32 here, their sum too.
                wrong_values += static_cast<double>(values.as<float>()[n * spec.k + k]) == source.weight(k, n) ? 0 : 1;
            }
        CHECK(wrong_codes == 0);
        CHECK(wrong_values == 0);
    }
}

TEST_CASE("scales and zeros come back as stored, packed groups x n, without the codes if only they are wanted") {
    const Handle handle;
    TestWeights weights(handle, {.k = 160, .n = 70, .group_size = 32, .zero_type = MARLIN_TYPE_U8});
    const int64_t groups = weights.get()->k_packed / 32;
    GuardedBuffer scales(static_cast<size_t>(groups * 70) * 2);
    GuardedBuffer zeros(static_cast<size_t>(groups * 70));
    auto desc = with_size<marlin_unpack_desc>();
    desc.dst_type = MARLIN_TYPE_F16;
    desc.scales = scales.data();
    desc.scales_size = scales.size();
    desc.zeros = zeros.data();
    desc.zeros_size = zeros.size();
    CHECK_SUCCESS(handle, marlin_unpack(handle, weights.get(), &desc));
    CHECK((scales.fences_intact() && zeros.fences_intact()));
    const marlin_pack_input input = weights.source().input();
    CHECK(std::memcmp(scales.data(), input.scales, input.scales_size) == 0);
    CHECK(std::memcmp(zeros.data(), input.zeros, input.zeros_size) == 0);
}

TEST_CASE("rows of an unpacked matrix may be apart, and the gaps are not written") {
    const Handle handle;
    TestWeights weights(handle, {.k = 40, .n = 30, .group_size = 32});
    constexpr int64_t ld = 37;
    GuardedBuffer codes(39 * ld + 30);
    marlin_unpack_desc desc = codes_of(weights.source(), codes);
    desc.ld_dst = ld;
    CHECK_SUCCESS(handle, marlin_unpack(handle, weights.get(), &desc));
    CHECK(codes.fences_intact());
    WeightSource source = weights.source();
    for (int64_t k = 0; k < 40; ++k) {
        for (int64_t n = 0; n < 30; ++n)
            REQUIRE(codes.as<int8_t>()[k * ld + n] == source.code(k, n) - 8);
        if (k < 39)
            REQUIRE(codes.untouched(static_cast<size_t>(k * ld + 30), static_cast<size_t>((k + 1) * ld)));
    }
}

TEST_CASE("unpack refuses wrong sizes and strides, and writes nothing") {
    const Handle handle;
    TestWeights weights(handle, {.k = 128, .n = 30, .group_size = 64, .zero_type = MARLIN_TYPE_U8});
    GuardedBuffer codes(128 * 30);
    GuardedBuffer scales(2 * 30 * 2);
    GuardedBuffer zeros(2 * 30);
    marlin_unpack_desc good = codes_of(weights.source(), codes);
    good.scales = scales.data();
    good.scales_size = scales.size();
    good.zeros = zeros.data();
    good.zeros_size = zeros.size();
    const auto refused = [&](const marlin_unpack_desc &desc, std::initializer_list<std::string> parts) {
        check_refusal(marlin_unpack(handle, weights.get(), &desc), MARLIN_INVALID_ARGUMENT, handle, parts);
        CHECK((codes.untouched() && scales.untouched() && zeros.untouched()));
    };
    marlin_unpack_desc desc = good;
    desc.dst_size = 128 * 30 - 1;
    refused(desc, {"dst_size is 3839", "expected", "3840"});
    desc = good;
    desc.scales_size -= 1;
    refused(desc, {"scales_size is 119", "expected", "120"});
    desc = good;
    desc.zeros_size = 0; // with a pointer
    desc.zeros = nullptr;
    desc.zeros_size = 60;
    refused(desc, {"desc.zeros is NULL and its size is 60"});
    desc = good;
    desc.zeros_size = 59;
    refused(desc, {"zeros_size is 59", "expected", "60"});
    desc = good;
    desc.ld_dst = 29;
    refused(desc, {"ld_dst is 29", "expected 0 or >= n = 30"});
    desc.ld_dst = -1;
    refused(desc, {"ld_dst is -1"});
    desc.ld_dst = INT64_MAX;
    refused(desc, {"dst_size", "overflows"});
    desc = good;
    desc.dst_size = SIZE_MAX;
    refused(desc, {"desc.dst_size is 18446744073709551615", "expected less than 2^63"});
    CHECK_SUCCESS(handle, marlin_unpack(handle, weights.get(), &good));
    CHECK_FALSE(codes.untouched(0, codes.size()));
    GuardedBuffer larger(codes.size() + 1000);
    desc = good;
    desc.dst = larger.data();
    desc.dst_size = larger.size();
    CHECK_SUCCESS(handle, marlin_unpack(handle, weights.get(), &desc));
    CHECK(std::memcmp(larger.data(), codes.data(), codes.size()) == 0);
    CHECK(larger.untouched(codes.size(), larger.size()));
}

TEST_CASE("codes of 2:4 weights that have no code for zero are not supported") {
    const Handle handle;
    std::vector<float> values(128 * 64, 0.0f);
    for (size_t i = 0; i < values.size(); i += 4 * 64 + 1)
        values[i] = static_cast<float>(i % 17) + 1;
    auto desc = with_size<marlin_pack_desc>();
    desc.src_type = MARLIN_TYPE_F32;
    desc.type = MARLIN_TYPE_U4;
    desc.zero_type = MARLIN_TYPE_F16;
    desc.sparsity = MARLIN_SPARSITY_SELECT_24;
    desc.k = 128;
    desc.n = 64;
    desc.group_size = 64;
    auto input = with_size<marlin_pack_input>();
    input.src = values.data();
    input.src_size = values.size() * 4;
    GuardedBuffer packed(packed_size_of(handle, desc));
    auto weights = with_size<marlin_weights>();
    CHECK_SUCCESS(handle, marlin_pack(handle, &desc, &input, packed.data(), packed.size(), &weights));
    GuardedBuffer codes(128 * 64);
    auto unpack = with_size<marlin_unpack_desc>();
    unpack.dst_type = MARLIN_TYPE_U4;
    unpack.dst = codes.data();
    unpack.dst_size = codes.size();
    CHECK_REFUSED(handle, MARLIN_NOT_SUPPORTED, marlin_unpack(handle, &weights, &unpack), "dst_type is u4",
                  "expected f16, bf16 or f32");
    CHECK(codes.untouched());
}
