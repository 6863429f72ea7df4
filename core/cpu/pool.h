// The worker threads of one CPU handle: they share items of work with the thread that calls.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "pack/pack.h"

namespace marlin::cpu {

// One caller at a time. Items are claimed one by one, so that a slow core does not hold up the others; which thread
// runs an item never shows in its result. The caller takes part: a pool of one has no threads at all.
class WorkerPool final : public ParallelFor {
public:
    explicit WorkerPool(int32_t threads);
    ~WorkerPool() override;
    WorkerPool(const WorkerPool &) = delete;
    WorkerPool &operator=(const WorkerPool &) = delete;

    int32_t threads() const { return static_cast<int32_t>(workers_.size()) + 1; }

    // Calls body(context, item) for every item in [0, count), and returns when all are done. body does not throw.
    void for_each(int64_t count, void (*body)(void *context, int64_t item), void *context);
    template <typename Body>
    void for_each(int64_t count, Body &body) {
        for_each(
            count, [](void *context, int64_t item) { (*static_cast<Body *>(context))(item); }, &body);
    }

    // ParallelFor, for packing: a few parts a thread.
    void run(int64_t count, void (*body)(void *context, int64_t begin, int64_t end), void *context) override;

private:
    void work(uint32_t seen);
    void run_items();
    bool wait_for_job(uint32_t &seen);
    void stop();

    // A job is open while workers may join it; the caller closes it when no item is left to claim, then waits for those
    // inside. A worker that wakes late finds it closed, and nobody waits for a thread that still sleeps.
    //   state: job number << 32 | open << 31 | workers inside
    static constexpr uint64_t kOpen = uint64_t{1} << 31;
    static constexpr uint64_t kInside = kOpen - 1;

    alignas(64) std::atomic<uint64_t> state_{0};
    alignas(64) std::atomic<int64_t> next_{0};
    alignas(64) std::atomic<uint32_t> wake_{0}; // changes with every job: what sleeping workers wait on
    std::atomic<int32_t> sleeping_{0};
    std::atomic<bool> stopping_{false};
    int64_t count_ = 0;
    void (*body_)(void *, int64_t) = nullptr;
    void *context_ = nullptr;
    std::vector<std::thread> workers_;
};

// Cores that this process may run on.
int32_t available_cores();

} // namespace marlin::cpu
