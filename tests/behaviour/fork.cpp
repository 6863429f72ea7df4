// After fork: the child is refused the parent's handles, neither hangs nor crashes, makes its own; the parent goes on.
#include <atomic>
#include <cstring>
#include <thread>

#include "support/api_multiply.h"
#include "support/child.h"

using namespace marlin::test;

namespace {

bool names_both_processes(const std::string &text) {
    return text.find("handle belongs to process " + std::to_string(getppid())) != std::string::npos &&
           text.find("this is process " + std::to_string(getpid())) != std::string::npos;
}

} // namespace

TEST_CASE("a forked child is refused its parent's handle by every function") {
    const Handle handle;
    TestWeights weights(handle, {});
    Multiply multiply(weights.source(), 2);
    CHECK_SUCCESS(handle, multiply.run(handle, weights.get()));
    CHECK(marlin_handle_set_option(handle, MARLIN_OPTION_MATH, 5) == MARLIN_INVALID_ARGUMENT);

    const ChildResult result = in_child([&]() -> int {
        auto handle_info = with_size<marlin_handle_info>();
        auto gemm_info = with_size<marlin_gemm_info>();
        auto made = with_size<marlin_weights>();
        auto unpack = with_size<marlin_unpack_desc>();
        marlin_stream_t stream = nullptr;
        int64_t value = 0;
        size_t size = 0;
        const marlin_pack_desc pack = weights.source().desc();
        const marlin_pack_input input = weights.source().input();
        void *const packed = weights.packed().data();
        const size_t packed_size = weights.packed().size();
        multiply.c.poison();
        CHILD_EXPECT(multiply.run(handle, weights.get()) == MARLIN_INVALID_ARGUMENT);
        CHILD_EXPECT(names_both_processes(last_error(nullptr)));
        CHILD_EXPECT(names_both_processes(last_error(handle)));
        CHILD_EXPECT(multiply.c.untouched());
        CHILD_EXPECT(marlin_handle_get_info(handle, &handle_info) == MARLIN_INVALID_ARGUMENT);
        CHILD_EXPECT(marlin_handle_set_stream(handle, nullptr) == MARLIN_INVALID_ARGUMENT);
        CHILD_EXPECT(marlin_handle_get_stream(handle, &stream) == MARLIN_INVALID_ARGUMENT);
        CHILD_EXPECT(marlin_handle_set_workspace(handle, nullptr, 0) == MARLIN_INVALID_ARGUMENT);
        CHILD_EXPECT(marlin_handle_set_option(handle, MARLIN_OPTION_NUM_THREADS, 1) == MARLIN_INVALID_ARGUMENT);
        CHILD_EXPECT(marlin_handle_get_option(handle, MARLIN_OPTION_MATH, &value) == MARLIN_INVALID_ARGUMENT);
        CHILD_EXPECT(marlin_pack_size(handle, &pack, &size) == MARLIN_INVALID_ARGUMENT);
        CHILD_EXPECT(marlin_pack(handle, &pack, &input, packed, packed_size, &made) == MARLIN_INVALID_ARGUMENT);
        CHILD_EXPECT(marlin_weights_attach(handle, packed, packed_size, &made) == MARLIN_INVALID_ARGUMENT);
        CHILD_EXPECT(marlin_unpack(handle, weights.get(), &unpack) == MARLIN_INVALID_ARGUMENT);
        CHILD_EXPECT(marlin_gemm_query(handle, &multiply.desc, weights.get(), &gemm_info) == MARLIN_INVALID_ARGUMENT);
        marlin_handle_destroy(handle);
        marlin_handle_destroy(handle); // still the parent's, still harmless
        return 0;
    });
    INFO(result.output);
    CHECK(result.how == "exit code 0");

    CHECK(last_error(handle) == "MARLIN_OPTION_MATH is 5, expected 0 to 1");
    multiply.c.poison();
    CHECK_SUCCESS(handle, multiply.run(handle, weights.get()));
    CHECK(multiply.right());
}

TEST_CASE("a forked child makes handles of its own and multiplies the weights it inherited") {
    const Handle handle;
    TestWeights weights(handle, {.k = 256, .n = 256});
    Multiply multiply(weights.source(), 8);
    CHECK_SUCCESS(handle, multiply.run(handle, weights.get()));
    const ChildResult result = in_child([&]() -> int {
        const marlin_handle_desc desc = cpu_desc(3);
        marlin_handle_t own = nullptr;
        CHILD_EXPECT(marlin_handle_create(&desc, &own) == MARLIN_SUCCESS);
        multiply.c.poison();
        CHILD_EXPECT(multiply.run(own, weights.get()) == MARLIN_SUCCESS);
        CHILD_EXPECT(multiply.right());
        marlin_handle_destroy(own);
        return 0;
    });
    INFO(result.output);
    CHECK(result.how == "exit code 0");
}

TEST_CASE("forking while other threads multiply and fail hurts neither side") {
    TestWeights weights(Handle(), {.k = 256, .n = 256});
    const Handle idle;
    std::atomic<bool> stop = false;
    std::atomic<int> wrong = 0;
    std::atomic<int> multiplied = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t)
        threads.emplace_back([&] {
            const marlin_handle_desc desc = cpu_desc(2);
            marlin_handle_t handle = nullptr;
            wrong += marlin_handle_create(&desc, &handle) == MARLIN_SUCCESS ? 0 : 1;
            Multiply multiply(weights.source(), 4);
            while (!stop) {
                wrong += multiply.run(handle, weights.get()) == MARLIN_SUCCESS ? 0 : 1;
                wrong += marlin_handle_set_option(handle, MARLIN_OPTION_MATH, 5) == MARLIN_INVALID_ARGUMENT ? 0 : 1;
                ++multiplied;
            }
            wrong += multiply.right() ? 0 : 1;
            marlin_handle_destroy(handle);
        });
    while (multiplied < 10)
        std::this_thread::yield();
    Multiply multiply(weights.source(), 1);
    for (int round = 0; round < 10; ++round) {
        const ChildResult result = in_child([&]() -> int {
            CHILD_EXPECT(multiply.run(idle, weights.get()) == MARLIN_INVALID_ARGUMENT);
            marlin_handle_destroy(idle);
            return 0;
        });
        INFO(result.output);
        CHECK(result.how == "exit code 0");
    }
    stop = true;
    for (std::thread &thread : threads)
        thread.join();
    CHECK(wrong == 0);
    CHECK_SUCCESS(idle, multiply.run(idle, weights.get()));
    CHECK(multiply.right());
}
