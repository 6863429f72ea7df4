// marlin_weights is the library's: copies work, everything else that anybody writes into it is refused.
#include <algorithm>
#include <cstring>

#include "support/api_multiply.h"

using namespace marlin::test;

TEST_CASE("weights may be copied, and the copy multiplies") {
    const Handle handle;
    TestWeights weights(handle, {});
    Multiply multiply(weights.source(), 2);
    const marlin_weights copy = *weights.get();
    CHECK_SUCCESS(handle, multiply.run(handle, &copy));
    CHECK(multiply.right());
}

TEST_CASE("a changed byte anywhere in marlin_weights is noticed") {
    const Handle handle;
    TestWeights weights(handle, {.zero_type = MARLIN_TYPE_U8});
    Multiply multiply(weights.source(), 1);
    int accepted = 0;
    for (size_t byte = sizeof(uint32_t); byte < sizeof(marlin_weights); ++byte) {
        marlin_weights changed = *weights.get();
        reinterpret_cast<unsigned char *>(&changed)[byte] ^= 0x10;
        accepted += multiply.run(handle, &changed) == MARLIN_INVALID_ARGUMENT ? 0 : 1;
    }
    CHECK(accepted == 0);
    CHECK_THAT(last_error(handle), Catch::Matchers::Contains("b is not as marlin_pack or marlin_weights_attach"));
    CHECK(multiply.c.untouched());
}

TEST_CASE("weights that nobody filled, or somebody by hand, are refused") {
    const Handle handle;
    TestWeights weights(handle, {});
    Multiply multiply(weights.source(), 1);
    const auto empty = with_size<marlin_weights>();
    CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, multiply.run(handle, &empty), "b is not as marlin_pack",
                  "nobody else may fill or change it");
    marlin_weights by_hand = *weights.get();
    std::fill(std::begin(by_hand.reserved), std::end(by_hand.reserved), 0);
    CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, multiply.run(handle, &by_hand), "b is not as marlin_pack");
    auto unpack = with_size<marlin_unpack_desc>();
    unpack.dst_type = MARLIN_TYPE_F32;
    CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, marlin_unpack(handle, &by_hand, &unpack),
                  "weights is not as marlin_pack");
    marlin_weights mixed = *weights.get();
    TestWeights others(handle, {.k = 256});
    mixed.data = others.get()->data;
    mixed.k = others.get()->k;
    CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, multiply.run(handle, &mixed), "b is not as marlin_pack");
    CHECK(multiply.c.untouched());
}

TEST_CASE("marlin_weights says what was packed") {
    const Handle handle;
    TestWeights dense(handle, {.k = 100, .n = 70, .group_size = 32, .zero_type = MARLIN_TYPE_F32});
    const marlin_weights &w = *dense.get();
    CHECK(w.struct_size == sizeof w);
    CHECK(w.layout == MARLIN_LAYOUT_CPU_DRAFT);
    CHECK(w.type == MARLIN_TYPE_U4);
    CHECK(w.scale_type == MARLIN_TYPE_F16);
    CHECK(w.zero_type == MARLIN_TYPE_F32);
    CHECK(w.device == MARLIN_DEVICE_CPU);
    CHECK(w.device_id == 0);
    CHECK(w.flags == 0);
    CHECK(w.k == 100);
    CHECK(w.n == 70);
    CHECK(w.group_size == 32);
    CHECK(w.k_packed >= 100);
    CHECK(w.k_packed % 32 == 0);
    CHECK(w.data == dense.packed().data());
    CHECK(w.data_size == dense.packed().size());
    CHECK(w.perm == nullptr);
    CHECK(w.column_scales == nullptr);

    TestWeights sparse(handle, {.group_size = MARLIN_GROUP_PER_COLUMN, .sparse = true});
    CHECK(sparse.get()->layout == MARLIN_LAYOUT_CPU_SPARSE24_DRAFT);
    CHECK(sparse.get()->type == MARLIN_TYPE_S4);
    CHECK(sparse.get()->zero_type == MARLIN_TYPE_NONE);
    CHECK(sparse.get()->flags == 1);
    CHECK(sparse.get()->group_size == MARLIN_GROUP_PER_COLUMN);

    TestWeights ordered(handle, {.k = 128, .group_size = 32, .act_order = true});
    REQUIRE(ordered.get()->perm != nullptr);
    std::vector<bool> seen(128, false);
    for (int64_t i = 0; i < ordered.get()->k_packed; ++i)
        if (ordered.get()->perm[i] >= 0)
            seen.at(static_cast<size_t>(ordered.get()->perm[i])) = true;
    CHECK(std::all_of(seen.begin(), seen.end(), [](bool s) { return s; }));
}
