// Memory: none allocated by a multiply, none leaked by handles, and calls that fail cleanly where it has run out.
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sys/resource.h>
#include <thread>

#include "behaviour/allocations.h"
#include "support/api_multiply.h"
#include "support/child.h"

using namespace marlin::test;

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true; // reserves address space and keeps freed memory: no limits, no resident sizes
#else
constexpr bool kSanitized = false;
#endif

int64_t thread_count() {
    using Entries = std::filesystem::directory_iterator;
    return std::distance(Entries("/proc/self/task"), Entries());
}

int64_t pages_of(int column) { // 0: address space, 1: resident
    std::ifstream file("/proc/self/statm");
    int64_t pages = 0;
    for (int i = 0; i <= column; ++i)
        file >> pages;
    return pages;
}

int64_t bytes_of(int column) {
    return pages_of(column) * sysconf(_SC_PAGESIZE);
}

// Runs `call` with its allocations failing one after the other, and with all failing from there on, until it succeeds.
// Every failure must be MARLIN_OUT_OF_MEMORY and leave no memory behind.
void check_exhaustion(marlin_handle_t error_place, const std::function<marlin_status()> &call) {
    for (const int64_t count : {int64_t{1}, INT64_MAX}) {
        int64_t first = 0;
        for (; first < 1000; ++first) {
            const int64_t live_before = live_new_count();
            marlin_status status = MARLIN_SUCCESS;
            int64_t failed = 0;
            {
                const FailingAllocations failing(first, count);
                status = call();
                failed = failing.failed();
            }
            const int64_t live_after = live_new_count();
            if (failed == 0)
                break;
            CAPTURE(first, count);
            CHECK(live_after == live_before);
            const std::string text = last_error(error_place);
            // A failure that the standard library works around (a buffer that it tries first) is no failure.
            if (status != MARLIN_SUCCESS) {
                REQUIRE(std::string(marlin_status_name(status)) == "MARLIN_OUT_OF_MEMORY");
                REQUIRE_FALSE(text.empty());
            }
        }
        CHECK(first > 0);
        CHECK(first < 1000);
    }
}

} // namespace

TEST_CASE("a multiply allocates nothing, whatever runs") {
    const Handle handle;
    int64_t isa = MARLIN_CPU_ISA_REFERENCE;
    for (; isa <= MARLIN_CPU_ISA_AVX512_BF16; ++isa) {
        if (marlin_handle_set_option(handle, MARLIN_OPTION_CPU_ISA, isa) != MARLIN_SUCCESS)
            break;
        for (const WeightSpec &spec :
             {WeightSpec{.k = 300, .n = 200, .group_size = 32, .zero_type = MARLIN_TYPE_U8},
              WeightSpec{.k = 256, .n = 70, .group_size = 64, .act_order = true},
              WeightSpec{.k = 256, .n = 70, .group_size = -1, .sparse = true},
              WeightSpec{.k = 128, .n = 70, .group_size = 128, .layout = MARLIN_LAYOUT_DENSE}}) {
            TestWeights weights(handle, spec);
            for (const int64_t m : {1, 7, 100}) {
                Multiply multiply(weights.source(), m);
                CHECK_SUCCESS(handle, multiply.run(handle, weights.get()));
                // The counter is the whole process's, and a CUDA driver has threads of its own that allocate several
                // times a second: what a multiply allocates would be there at every try.
                int64_t fewest = INT64_MAX;
                for (int attempt = 0; attempt < 60 && fewest > 0; ++attempt) {
                    const int64_t before = allocation_count();
                    marlin_status status = MARLIN_SUCCESS;
                    for (int run = 0; run < 3 && status == MARLIN_SUCCESS; ++run)
                        status = multiply.run(handle, weights.get());
                    fewest = std::min(fewest, allocation_count() - before);
                    CHECK_SUCCESS(handle, status);
                }
                CAPTURE(isa, m, spec.k, spec.layout);
                CHECK(fewest == 0);
                CHECK(multiply.right());
            }
        }
    }
    CHECK(isa > MARLIN_CPU_ISA_REFERENCE);
}

TEST_CASE("the counter of allocations counts what the library allocates") {
    const int64_t before = allocation_count();
    const int64_t live_before = live_new_count();
    bool counted = false;
    {
        const Handle handle;
        CHECK(allocation_count() > before);
        counted = live_new_count() > live_before;
    }
    CHECK(live_new_count() == live_before);
    // A toolchain that links libstdc++ statically gives the library an operator new of its own.
    if (!counted)
        WARN("the library does not use this program's operator new: leaks of it are not counted here");
}

TEST_CASE("a thousand handles come and go without a thread or memory left behind") {
    const auto make_and_multiply = [](int32_t threads) {
        const Handle handle(cpu_desc(threads));
        TestWeights weights(handle, {});
        Multiply multiply(weights.source(), 2);
        if (multiply.run(handle, weights.get()) != MARLIN_SUCCESS)
            FAIL(last_error(handle));
    };
    make_and_multiply(3);
    const int64_t threads_before = thread_count();
    const int64_t live_before = live_new_count();
    const int64_t resident_before = bytes_of(1);
    const int64_t address_space_before = bytes_of(0);
    const int count = kSanitized ? 100 : 1000;
    for (int i = 0; i < count; ++i)
        make_and_multiply(1 + i % 3);
    CHECK(thread_count() == threads_before);
    CHECK(live_new_count() == live_before);
    if (!kSanitized) {
        CHECK(bytes_of(1) - resident_before < int64_t{16} << 20);
        CHECK(bytes_of(0) - address_space_before < int64_t{256} << 20);
    }
}

TEST_CASE("changing options again and again leaves no thread and no memory behind") {
    const Handle handle;
    const auto change = [&] {
        for (const int64_t threads : {4, 1, 2})
            CHECK_SUCCESS(handle, marlin_handle_set_option(handle, MARLIN_OPTION_NUM_THREADS, threads));
        CHECK_SUCCESS(handle, marlin_handle_set_workspace(handle, nullptr, 0));
    };
    change();
    const int64_t threads_before = thread_count();
    const int64_t live_before = live_new_count();
    for (int i = 0; i < 50; ++i)
        change();
    CHECK(thread_count() == threads_before);
    CHECK(live_new_count() == live_before);
}

// Reaches MARLIN_OUT_OF_MEMORY at every allocation that the functions make on the calling thread.
TEST_CASE("where memory runs out, calls fail cleanly and the handle goes on") {
    const Handle handle;
    TestWeights weights(handle, {.k = 128, .n = 100, .group_size = 32, .act_order = true});
    const marlin_pack_desc pack = weights.source().desc();
    const marlin_pack_input input = weights.source().input();
    GuardedBuffer packed(weights.packed().size());
    auto made = with_size<marlin_weights>();
    GuardedBuffer values(128 * 100 * 4);
    auto unpack = with_size<marlin_unpack_desc>();
    unpack.dst_type = MARLIN_TYPE_F32;
    unpack.dst = values.data();
    unpack.dst_size = values.size();
    Multiply multiply(weights.source(), 3);

    SECTION("creating a handle") {
        const marlin_handle_desc desc = cpu_desc(3);
        const int64_t threads_before = thread_count();
        check_exhaustion(nullptr, [&] {
            marlin_handle_t other = nullptr;
            const marlin_status status = marlin_handle_create(&desc, &other);
            if (status != MARLIN_SUCCESS && other != nullptr)
                return MARLIN_INTERNAL_ERROR; // written although it failed
            marlin_handle_destroy(other);
            return status;
        });
        CHECK(thread_count() == threads_before);
    }
    SECTION("packing") {
        check_exhaustion(handle,
                         [&] { return marlin_pack(handle, &pack, &input, packed.data(), packed.size(), &made); });
    }
    SECTION("unpacking") {
        check_exhaustion(handle, [&] { return marlin_unpack(handle, weights.get(), &unpack); });
    }
    SECTION("changing the number of threads") {
        check_exhaustion(handle, [&] { return marlin_handle_set_option(handle, MARLIN_OPTION_NUM_THREADS, 3); });
        CHECK(info_of(handle).num_threads == 3);
    }
    SECTION("refusing a call") {
        const FailingAllocations failing(0, INT64_MAX);
        const marlin_status status = marlin_handle_set_option(handle, MARLIN_OPTION_MATH, 9);
        // The text could not be made, which is then what the text says.
        CHECK(status == MARLIN_OUT_OF_MEMORY);
    }
    CHECK_SUCCESS(handle, multiply.run(handle, weights.get()));
    CHECK(multiply.right());
}

TEST_CASE("more threads than the system can give are out of memory, not an abort") {
    if (kSanitized) {
        WARN("not run: a sanitizer's address space cannot be limited");
        return;
    }
    const ChildResult result = in_child([]() -> int {
        // Room for the workspace and some threads, not for 1023 stacks.
        const auto limit = static_cast<rlim_t>(bytes_of(0)) + (rlim_t{200} << 20);
        const rlimit limits = {limit, limit};
        CHILD_EXPECT(setrlimit(RLIMIT_AS, &limits) == 0);
        const marlin_handle_desc desc = cpu_desc(1024);
        marlin_handle_t handle = nullptr;
        CHILD_EXPECT(marlin_handle_create(&desc, &handle) == MARLIN_OUT_OF_MEMORY);
        CHILD_EXPECT(handle == nullptr);
        const std::string text = last_error(nullptr);
        CHILD_EXPECT(text.find("num_threads is 1024") != std::string::npos || text.find("memory") != std::string::npos);
        CHILD_EXPECT(thread_count() == 1);
        const marlin_handle_desc fewer = cpu_desc(2);
        CHILD_EXPECT(marlin_handle_create(&fewer, &handle) == MARLIN_SUCCESS);
        marlin_handle_destroy(handle);
        return 0;
    });
    INFO(result.output);
    CHECK(result.how == "exit code 0");
}
