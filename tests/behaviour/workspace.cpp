// The workspace: the library's own, a given one, one that is too small, and results that do not depend on it.
#include <cstring>

#include "support/api_multiply.h"

using namespace marlin::test;

namespace {

size_t needed_by(marlin_handle_t handle, const Multiply &multiply, const TestWeights &weights) {
    auto info = with_size<marlin_gemm_info>();
    CHECK_SUCCESS(handle, marlin_gemm_query(handle, &multiply.desc, weights.get(), &info));
    return info.workspace_size;
}

} // namespace

TEST_CASE("a workspace is given whole and aligned, or not at all") {
    const Handle handle;
    GuardedBuffer memory(4096);
    CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, marlin_handle_set_workspace(handle, nullptr, 1),
                  "workspace_size is 1", "expected both or neither");
    CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, marlin_handle_set_workspace(handle, memory.data(), 0),
                  "workspace_size is 0", "expected both or neither");
    CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, marlin_handle_set_workspace(handle, memory.data(), SIZE_MAX),
                  "workspace_size is 18446744073709551615", "expected less than 2^63");
    for (const int offset : {1, 64, 128})
        CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT,
                      marlin_handle_set_workspace(handle, memory.as<char>() + offset, 1024), "workspace is 0x",
                      "expected a multiple of 256 bytes");
    CHECK(memory.untouched());

    marlin_handle_desc desc = cpu_desc();
    marlin_handle_t made = nullptr;
    desc.workspace_size = 5;
    CHECK_REFUSED(nullptr, MARLIN_INVALID_ARGUMENT, marlin_handle_create(&desc, &made), "workspace_size is 5",
                  "expected both or neither");
    desc.workspace = memory.as<char>() + 8;
    desc.workspace_size = 1024;
    CHECK_REFUSED(nullptr, MARLIN_INVALID_ARGUMENT, marlin_handle_create(&desc, &made), "workspace is 0x",
                  "expected a multiple of 256 bytes");
    CHECK(made == nullptr);
}

TEST_CASE("the library's own workspace is enough for every call, and returns when the given one goes") {
    const Handle handle;
    const size_t own = info_of(handle).workspace_size;
    TestWeights weights(handle, {.k = 700, .n = 70, .group_size = 128});
    Multiply multiply(weights.source(), 300);
    CHECK(needed_by(handle, multiply, weights) <= own);
    CHECK_SUCCESS(handle, multiply.run(handle, weights.get()));
    CHECK(multiply.right());

    GuardedBuffer memory(1 << 20);
    CHECK_SUCCESS(handle, marlin_handle_set_workspace(handle, memory.data(), memory.size()));
    CHECK(info_of(handle).workspace_size == memory.size());
    CHECK_SUCCESS(handle, marlin_handle_set_workspace(handle, nullptr, 0));
    CHECK(info_of(handle).workspace_size == own);
    memory.poison();
    multiply.c.poison();
    CHECK_SUCCESS(handle, multiply.run(handle, weights.get()));
    CHECK(multiply.right());
    CHECK(memory.untouched());
}

TEST_CASE("a workspace too small is told with both sizes, and the query's size is enough") {
    const Handle handle;
    TestWeights weights(handle, {.k = 700, .n = 70, .group_size = 128, .zero_type = MARLIN_TYPE_U8});
    for (const int64_t m : {1, 5, 130}) {
        Multiply multiply(weights.source(), m);
        auto before = with_size<marlin_gemm_info>();
        CHECK_SUCCESS(handle, marlin_handle_set_workspace(handle, nullptr, 0));
        CHECK_SUCCESS(handle, marlin_gemm_query(handle, &multiply.desc, weights.get(), &before));
        CHECK_SUCCESS(handle, multiply.run(handle, weights.get()));
        CHECK(multiply.right());
        const std::vector<float> expected = multiply.result();
        const size_t needed = before.workspace_size;
        if (needed == 0) { // the reference kernel, where the machine has no other
            CHECK(std::string(before.kernel) == "cpu_reference");
            continue;
        }
        REQUIRE(needed > 256);

        GuardedBuffer memory(needed);
        for (const size_t size : {size_t{1}, size_t{256}, needed - 1}) {
            multiply.c.poison();
            CHECK_SUCCESS(handle, marlin_handle_set_workspace(handle, memory.data(), size));
            CHECK_REFUSED(handle, MARLIN_WORKSPACE_TOO_SMALL, multiply.run(handle, weights.get()),
                          "workspace_size is " + std::to_string(size), "expected at least " + std::to_string(needed));
            CHECK(multiply.c.untouched());
            auto info = with_size<marlin_gemm_info>();
            CHECK_SUCCESS(handle, marlin_gemm_query(handle, &multiply.desc, weights.get(), &info));
            CHECK(info.workspace_size == needed);
            CHECK(info.kernel == std::string(before.kernel));
        }
        CHECK(memory.untouched());
        CHECK_SUCCESS(handle, marlin_handle_set_workspace(handle, memory.data(), needed));
        CHECK_SUCCESS(handle, multiply.run(handle, weights.get()));
        CHECK(memory.fences_intact());
        CHECK(std::memcmp(multiply.c.data(), expected.data(), multiply.c.size()) == 0);
    }
}

TEST_CASE("neither the size of the workspace nor what lies in it shows in the result") {
    TestWeights weights(Handle(), {.k = 512, .n = 100, .group_size = 32, .act_order = true});
    Multiply multiply(weights.source(), 200);
    std::vector<float> expected;
    {
        const Handle handle;
        CHECK_SUCCESS(handle, multiply.run(handle, weights.get()));
        CHECK(multiply.right());
        expected = multiply.result();
    }
    const size_t needed = std::max<size_t>(256, needed_by(Handle(), multiply, weights));
    for (const size_t size : {needed, needed + 1, needed + 5000, 3 * needed, size_t{8} << 20}) {
        GuardedBuffer memory(size);
        marlin_handle_desc desc = cpu_desc();
        desc.workspace = memory.data();
        desc.workspace_size = size;
        const Handle handle(desc);
        CHECK(info_of(handle).workspace_size == size);
        for (int run = 0; run < 2; ++run) { // poisoned, then full of the last run's remains
            multiply.c.poison();
            CHECK_SUCCESS(handle, multiply.run(handle, weights.get()));
            CHECK(std::memcmp(multiply.c.data(), expected.data(), multiply.c.size()) == 0);
            CHECK(memory.fences_intact());
        }
    }
}
