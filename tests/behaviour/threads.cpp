// Handles and threads: many at once sharing weights, and one handle that two threads want.
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

#include "support/api_multiply.h"

using namespace marlin::test;

namespace {

// Lets one thread wait, inside a call of the library, for what another one does.
class Meeting {
public:
    void signal() {
        const std::lock_guard lock(mutex_);
        happened_ = true;
        condition_.notify_all();
    }
    bool wait() {
        std::unique_lock lock(mutex_);
        return condition_.wait_for(lock, std::chrono::seconds(30), [&] { return happened_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable condition_;
    bool happened_ = false;
};

} // namespace

TEST_CASE("many threads with a handle each share packed weights and get the same bits") {
    const Handle packer;
    TestWeights weights(packer, {.k = 256, .n = 130, .group_size = 64, .zero_type = MARLIN_TYPE_U8});
    Multiply reference(weights.source(), 9);
    CHECK_SUCCESS(packer, reference.run(packer, weights.get()));
    REQUIRE(reference.right());
    const std::vector<float> expected = reference.result();

    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int32_t t = 0; t < 6; ++t)
        threads.emplace_back([&, t] {
            const marlin_handle_desc desc = cpu_desc(1 + t % 3);
            Multiply multiply(weights.source(), 9);
            for (int round = 0; round < 8; ++round) {
                marlin_handle_t handle = nullptr;
                if (marlin_handle_create(&desc, &handle) != MARLIN_SUCCESS) {
                    ++wrong;
                    continue;
                }
                for (int run = 0; run < 10; ++run) {
                    multiply.c.poison();
                    const bool good = multiply.run(handle, weights.get()) == MARLIN_SUCCESS &&
                                      multiply.c.fences_intact() &&
                                      std::memcmp(multiply.c.data(), expected.data(), multiply.c.size()) == 0;
                    wrong += good ? 0 : 1;
                }
                marlin_handle_destroy(handle);
            }
        });
    for (std::thread &thread : threads)
        thread.join();
    CHECK(wrong == 0);
}

// The log receiver holds the first thread inside its call for as long as the second one needs.
TEST_CASE("a second thread that enters a handle is refused, not raced, and told so") {
    const Handle handle;
    TestWeights weights(handle, {});
    Multiply first(weights.source(), 3);
    Multiply second(weights.source(), 3);
    struct Scene {
        Meeting inside;
        Meeting tried;
    } scene;
    marlin_set_log(
        [](void *user, marlin_log_level level, const char *) {
            if (level != MARLIN_LOG_CALLS)
                return;
            static_cast<Scene *>(user)->inside.signal();
            static_cast<Scene *>(user)->tried.wait();
        },
        &scene, MARLIN_LOG_CALLS);

    marlin_status statuses[5] = {};
    std::string text;
    std::string handle_text = "?";
    std::thread other([&] {
        if (!scene.inside.wait())
            return;
        auto info = with_size<marlin_handle_info>();
        int64_t value = 0;
        statuses[0] = second.run(handle, weights.get());
        statuses[1] = marlin_handle_get_info(handle, &info);
        statuses[2] = marlin_handle_set_option(handle, MARLIN_OPTION_MATH, 1);
        statuses[3] = marlin_handle_get_option(handle, MARLIN_OPTION_MATH, &value);
        statuses[4] = marlin_handle_set_workspace(handle, nullptr, 0);
        text = last_error(nullptr);
        handle_text = last_error(handle);
        scene.tried.signal();
    });
    const marlin_status status = first.run(handle, weights.get());
    other.join();
    marlin_set_log(nullptr, nullptr, MARLIN_LOG_OFF);

    CHECK_SUCCESS(handle, status);
    CHECK(first.right());
    for (const marlin_status refused : statuses)
        CHECK(refused == MARLIN_INVALID_ARGUMENT);
    CHECK(text == "handle is in use by another thread: a handle serves one thread at a time");
    CHECK(handle_text.empty()); // the call that is running has not failed
    CHECK(second.c.untouched());
    CHECK_SUCCESS(handle, second.run(handle, weights.get()));
    CHECK(second.right());
}

TEST_CASE("two threads that fight for a handle get results or refusals, nothing in between") {
    const Handle handle;
    TestWeights weights(handle, {.k = 256, .n = 256, .group_size = 128});
    Multiply reference(weights.source(), 4);
    CHECK_SUCCESS(handle, reference.run(handle, weights.get()));
    REQUIRE(reference.right());
    const std::vector<float> expected = reference.result();
    std::atomic<int> successes = 0;
    std::atomic<int> broken = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
        threads.emplace_back([&] {
            Multiply multiply(weights.source(), 4);
            for (int run = 0; run < 200; ++run) {
                multiply.c.poison();
                const marlin_status status = multiply.run(handle, weights.get());
                const bool same = std::memcmp(multiply.c.data(), expected.data(), multiply.c.size()) == 0;
                if (status == MARLIN_SUCCESS && same && multiply.c.fences_intact())
                    ++successes;
                else if (status != MARLIN_INVALID_ARGUMENT || !multiply.c.untouched())
                    ++broken;
                last_error(handle);
            }
        });
    for (std::thread &thread : threads)
        thread.join();
    CHECK(broken == 0);
    CHECK(successes > 0);
}

TEST_CASE("a handle may go from thread to thread") {
    const Handle handle;
    TestWeights weights(handle, {});
    for (int round = 0; round < 10; ++round) {
        Multiply multiply(weights.source(), 2, static_cast<uint64_t>(round));
        marlin_status status = MARLIN_INTERNAL_ERROR;
        std::thread([&] { status = multiply.run(handle, weights.get()); }).join();
        CHECK(status == MARLIN_SUCCESS);
        CHECK(multiply.right());
    }
    marlin_handle_t made = nullptr;
    std::thread([&] {
        const marlin_handle_desc desc = cpu_desc(3);
        marlin_handle_create(&desc, &made);
    }).join();
    REQUIRE(made != nullptr);
    Multiply multiply(weights.source(), 7);
    CHECK_SUCCESS(made, multiply.run(made, weights.get()));
    CHECK(multiply.right());
    std::thread([&] { marlin_handle_destroy(made); }).join();
}
