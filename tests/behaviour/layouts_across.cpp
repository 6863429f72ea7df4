// Layouts of the other device on a CPU handle: slow, said so, and right; and that packed bytes are the same everywhere.
#include <cstring>

#include "support/api_multiply.h"

using namespace marlin::test;

TEST_CASE("NVIDIA layouts multiply on a CPU handle through the reference kernel") {
    const Handle handle;
    for (const WeightSpec &spec :
         {WeightSpec{.k = 100, .n = 70, .group_size = 32, .zero_type = MARLIN_TYPE_U8, .layout = MARLIN_LAYOUT_DENSE},
          WeightSpec{.k = 200, .n = 65, .group_size = -1, .zero_type = MARLIN_TYPE_F32, .layout = MARLIN_LAYOUT_DENSE},
          WeightSpec{.k = 192, .n = 33, .group_size = 64, .layout = MARLIN_LAYOUT_DENSE, .act_order = true},
          WeightSpec{.k = 130, .n = 70, .group_size = 32, .layout = MARLIN_LAYOUT_SPARSE24_DRAFT, .sparse = true}}) {
        TestWeights weights(handle, spec);
        CHECK(weights.get()->layout == spec.layout);
        Multiply multiply(weights.source(), 20);
        auto info = with_size<marlin_gemm_info>();
        CHECK_SUCCESS(handle, marlin_gemm_query(handle, &multiply.desc, weights.get(), &info));
        CHECK(std::string(info.kernel) == "cpu_reference");
        CHECK(info.slow == 1);
        CHECK_THAT(std::string(info.why), Catch::Matchers::Contains("layout is "));
        CHECK_SUCCESS(handle, multiply.run(handle, weights.get()));
        CHECK(multiply.right());
    }
}

TEST_CASE("the CPU's own layouts do not run slowly where the machine has a kernel for them") {
    const Handle handle;
    for (const bool sparse : {false, true}) {
        TestWeights weights(handle, {.sparse = sparse});
        const Multiply multiply(weights.source(), 4);
        auto info = with_size<marlin_gemm_info>();
        CHECK_SUCCESS(handle, marlin_gemm_query(handle, &multiply.desc, weights.get(), &info));
        CHECK(info.struct_size == sizeof info);
        CHECK(info.kernel_number > 0);
        CHECK(info.blocks > 0);
        CHECK(info.tile_m > 0);
        CHECK(info.tile_n > 0);
        CHECK(info.tile_k > 0);
        const bool reference_only = std::string(info_of(handle).name) == "reference";
        CHECK((info.slow != 0) == reference_only);
        CHECK((std::strlen(info.why) != 0) == reference_only);
    }
}

TEST_CASE("packed bytes do not depend on the number of threads that packed them") {
    for (const int32_t layout : {MARLIN_LAYOUT_CPU_DRAFT, MARLIN_LAYOUT_DENSE}) {
        const WeightSpec spec = {.k = 300, .n = 200, .group_size = 32, .zero_type = MARLIN_TYPE_U8, .layout = layout};
        TestWeights one(Handle(cpu_desc(1)), spec);
        TestWeights many(Handle(cpu_desc(5)), spec);
        REQUIRE(one.packed().size() == many.packed().size());
        CHECK(std::memcmp(one.packed().data(), many.packed().data(), one.packed().size()) == 0);
    }
}
