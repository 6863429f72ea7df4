// The kernels of packing, on the CPU, against the packer of the CPU: the same bytes and the same refusals.
#include <cstring>
#include <limits>
#include <map>

#include "common/error.h"
#include "pack/prepare.h"
#include "support/catch.h"
#include "support/pack_cases.h"
#include "support/pack_ways.h"
#include "unit/cuda_pack/emulate.h"
#include "unit/pack/buffer.h"

namespace marlin::test {
namespace {

// What is said against it, empty if it works.
template <typename Call>
std::string refusal_of(Call call) {
    try {
        call();
    } catch (const Error &error) {
        return error.text();
    }
    return {};
}

// Packs on both ways; returns whether the request could be packed.
bool expect_same(const PackCase &c) {
    const int64_t size = packed_size(plan_pack(c.request));
    PackedBuffer expected(size);
    PackedBuffer found(size);
    SerialFor serial;
    const std::string refusal = refusal_of([&] { pack_host(c.request, expected.bytes(), serial); });
    const uint64_t failed = pack_emulated(c.request, found.bytes());
    REQUIRE((failed == UINT64_MAX) == refusal.empty());
    REQUIRE(std::memcmp(expected.bytes().data(), found.bytes().data(), static_cast<size_t>(size)) == 0);
    if (!refusal.empty())
        CHECK_THROWS_WITH(check_column(c.request, prepare_pack(c.request, found.bytes()), static_cast<int64_t>(failed)),
                          refusal);
    return refusal.empty();
}

} // namespace

TEST_CASE("the kernels pack what the CPU packs, for requests drawn from all that there are", "[pack]") {
    int packed_count = 0;
    for (uint64_t seed = 1; seed <= 1500; ++seed) {
        const PackSpec spec = random_spec(seed);
        INFO(describe(spec));
        packed_count += expect_same(PackCase(spec)) ? 1 : 0;
    }
    CHECK(packed_count > 1300);
}

TEST_CASE("the kernels pack whole layers as the CPU does, each source, order and layout by its own way", "[pack]") {
    std::map<std::string, int> ways;
    for (const int64_t k : {256, 320})
        for (const PackSpec &spec : whole_layers(k, 128)) {
            INFO(describe(spec));
            const PackCase c(spec);
            // Random values seldom are 2:4 already.
            const bool packed = expect_same(c);
            CHECK((packed || spec.request.sparsity == Sparsity::Already24));
            ++ways[way_of(c.request)];
        }
    for (const char *way : {"codes", "gathered codes", "values", "gathered values", "streamed values"})
        CHECK(ways[way] > 15);
}

TEST_CASE("the kernels refuse what the CPU refuses, wherever it stands", "[pack]") {
    const float bad[] = {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN(), 3e38f};
    int refused = 0;
    for (const PackSpec &spec : whole_layers(256, 128)) {
        INFO(describe(spec));
        PackCase c(spec);
        Random random(spec.seed);
        const float value = bad[random.between(0, 2)];
        const PackRequest &r = c.request;
        const int64_t at = c.index(random.between(0, r.k - 1), random.between(0, r.n - 1));
        if (r.source == Source::Plain && is_float(r.src_type))
            c.put(c.src_data(), at, value, r.src_type);
        else if (r.source == Source::Plain && random.chance())
            c.src_data()[at] = static_cast<std::byte>(random.between(16, 100));
        else
            c.put(c.scales_data(), random.between(0, c.groups() * r.n - 1), value, r.src_scale_type);
        refused += expect_same(c) ? 0 : 1;
    }
    CHECK(refused > 500);
}

TEST_CASE("the kernels unpack what the CPU unpacks", "[pack]") {
    int unpacked_count = 0;
    for (uint64_t seed = 5001; seed <= 5600; ++seed) {
        const PackSpec spec = random_spec(seed);
        INFO(describe(spec));
        const PackCase c(spec);
        PackedBuffer packed(packed_size(plan_pack(c.request)));
        SerialFor serial;
        WeightsView view;
        if (!refusal_of([&] { view = pack_host(c.request, packed.bytes(), serial); }).empty())
            continue;
        UnpackCase expected(view, seed);
        UnpackCase found(view, seed);
        INFO(to_string(expected.request.dst_type) << " order " << static_cast<int>(expected.request.dst_order));
        const std::string refusal = refusal_of([&] { unpack_host(view, expected.over_own(), serial); });
        REQUIRE(refusal_of([&] { unpack_emulated(view, found.over_own()); }) == refusal);
        REQUIRE(found.dst == expected.dst);
        unpacked_count += refusal.empty() ? 1 : 0;
    }
    CHECK(unpacked_count > 500);
}

} // namespace marlin::test
