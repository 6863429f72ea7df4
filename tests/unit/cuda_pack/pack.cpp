// The kernels of packing, on the CPU, against the packer of the CPU: the same bytes and the same refusals.
#include <cstring>

#include "common/error.h"
#include "pack/prepare.h"
#include "support/catch.h"
#include "support/pack_cases.h"
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

} // namespace

TEST_CASE("the kernels pack what the CPU packs, for requests drawn from all that there are", "[pack]") {
    int packed_count = 0;
    for (uint64_t seed = 1; seed <= 1500; ++seed) {
        const PackSpec spec = random_spec(seed);
        INFO(describe(spec));
        const PackCase c(spec);
        const int64_t size = packed_size(plan_pack(c.request));
        PackedBuffer expected(size);
        PackedBuffer found(size);
        SerialFor serial;
        const std::string refusal = refusal_of([&] { pack_host(c.request, expected.bytes(), serial); });
        const uint64_t failed = pack_emulated(c.request, found.bytes());
        REQUIRE((failed == UINT64_MAX) == refusal.empty());
        REQUIRE(std::memcmp(expected.bytes().data(), found.bytes().data(), static_cast<size_t>(size)) == 0);
        packed_count += refusal.empty() ? 1 : 0;
        if (!refusal.empty())
            CHECK_THROWS_WITH(
                check_column(c.request, prepare_pack(c.request, found.bytes()), static_cast<int64_t>(failed)), refusal);
    }
    CHECK(packed_count > 1300);
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
