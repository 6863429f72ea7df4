// The worker pool: every item once, on any number of threads, call after call.
#include "cpu/pool.h"

#include <chrono>
#include <thread>
#include <vector>

#include "support/catch.h"

using namespace marlin::cpu;

namespace {

// How often each item ran.
std::vector<int> run_items(WorkerPool &pool, int64_t count) {
    std::vector<std::atomic<int>> runs(static_cast<size_t>(count));
    auto body = [&](int64_t item) { runs[static_cast<size_t>(item)].fetch_add(1); };
    pool.for_each(count, body);
    return {runs.begin(), runs.end()};
}

} // namespace

TEST_CASE("Every item runs exactly once") {
    for (const int32_t threads : {1, 2, 3, 8}) {
        WorkerPool pool(threads);
        CHECK(pool.threads() == threads);
        for (const int64_t count : {0, 1, 2, 3, 7, 64, 1000})
            CHECK(run_items(pool, count) == std::vector<int>(static_cast<size_t>(count), 1));
    }
}

TEST_CASE("Workers that fell asleep come back, and jobs close upon each other do not mix") {
    WorkerPool pool(4);
    for (int round = 0; round < 5; ++round) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2)); // much longer than they spin
        for (int job = 0; job < 500; ++job)
            if (run_items(pool, 1 + job % 9) != std::vector<int>(static_cast<size_t>(1 + job % 9), 1))
                FAIL("round " << round << ", job " << job << ": an item did not run exactly once");
    }
}

TEST_CASE("Other threads take part when items are long") {
    WorkerPool pool(2);
    std::atomic<bool> other{false};
    const std::thread::id caller = std::this_thread::get_id();
    auto body = [&](int64_t) {
        if (std::this_thread::get_id() != caller)
            other = true;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    };
    for (int attempt = 0; attempt < 50 && !other; ++attempt)
        pool.for_each(4, body);
    CHECK(other);
}

TEST_CASE("Parts of a range are disjoint and cover it") {
    for (const int32_t threads : {1, 2, 5}) {
        WorkerPool pool(threads);
        for (const int64_t count : {0, 1, 3, 19, 1000}) {
            std::vector<std::atomic<int>> seen(static_cast<size_t>(count));
            marlin::ParallelFor &parallel = pool;
            parallel.run(
                count,
                [](void *context, int64_t begin, int64_t end) {
                    auto &counts = *static_cast<std::vector<std::atomic<int>> *>(context);
                    for (int64_t i = begin; i < end; ++i)
                        counts[static_cast<size_t>(i)].fetch_add(1);
                },
                &seen);
            CHECK(std::vector<int>(seen.begin(), seen.end()) == std::vector<int>(static_cast<size_t>(count), 1));
        }
    }
}
