// Packing weights that claim the 2:4 pattern and do not follow it.
#include "support/api_weights.h"

using namespace marlin::test;

TEST_CASE("weights that do not follow the 2:4 pattern are not sparse, and the first offending four are named") {
    const Handle handle;
    WeightSource source({.k = 128, .n = 64, .sparse = true});
    const marlin_pack_desc desc = source.desc();
    for (const int64_t quad : {0, 7, 31}) {
        WeightSource dense = source;
        for (int64_t k = 4 * quad; k < 4 * quad + 3; ++k)
            dense.code(k, 33) = 9;
        const marlin_pack_input input = dense.input();
        GuardedBuffer packed(packed_size_of(handle, desc));
        auto made = with_size<marlin_weights>();
        CHECK_REFUSED(handle, MARLIN_NOT_SPARSE,
                      marlin_pack(handle, &desc, &input, packed.data(), packed.size(), &made), std::to_string(4 * quad),
                      "33", "expected");
        CHECK(packed.untouched());
    }
}
