// Handing work to threads: a short spin while calls follow each other closely, sleep when they do not.
#include "cpu/pool.h"

#include <algorithm>
#include <chrono>
#include <immintrin.h>
#include <sched.h>

namespace marlin::cpu {
namespace {

// Longer than the gap between two layers of a model, short enough to cost nothing when the caller has gone.
constexpr std::chrono::microseconds kSpinTime(40);

// Spins until `done` or the time is over; says which.
template <typename Done>
bool spin(Done done) {
    const auto end = std::chrono::steady_clock::now() + kSpinTime;
    do {
        for (int i = 0; i < 32; ++i) {
            if (done())
                return true;
            _mm_pause();
        }
    } while (std::chrono::steady_clock::now() < end);
    return false;
}

uint32_t job_of(uint64_t state) {
    return static_cast<uint32_t>(state >> 32);
}

} // namespace

int32_t available_cores() {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    if (sched_getaffinity(0, sizeof cores, &cores) == 0)
        return std::max(1, CPU_COUNT(&cores));
    return static_cast<int32_t>(std::max(1u, std::thread::hardware_concurrency()));
}

WorkerPool::WorkerPool(int32_t threads) {
    workers_.reserve(static_cast<size_t>(threads) - 1);
    try {
        for (int32_t i = 1; i < threads; ++i)
            workers_.emplace_back([this] { work(0); });
    } catch (...) {
        stop();
        throw;
    }
}

WorkerPool::~WorkerPool() {
    stop();
}

void WorkerPool::stop() {
    stopping_.store(true);
    wake_.fetch_add(1);
    wake_.notify_all();
    for (std::thread &worker : workers_)
        worker.join();
}

void WorkerPool::for_each(int64_t count, void (*body)(void *context, int64_t item), void *context) {
    if (workers_.empty() || count <= 1) {
        for (int64_t item = 0; item < count; ++item)
            body(context, item);
        return;
    }
    count_ = count;
    body_ = body;
    context_ = context;
    next_.store(0, std::memory_order_relaxed);
    const uint64_t job = static_cast<uint64_t>(job_of(state_.load(std::memory_order_relaxed)) + 1) << 32;
    state_.store(job | kOpen); // publishes the fields above
    // In sequential order with a worker's "I sleep" and its last look at state_: one of the two sees the other.
    wake_.fetch_add(1);
    if (sleeping_.load() > 0)
        wake_.notify_all();
    run_items();
    state_.fetch_and(~kOpen);
    while (!spin([this] { return (state_.load(std::memory_order_acquire) & kInside) == 0; }))
        std::this_thread::yield();
}

void WorkerPool::run_items() {
    for (int64_t item = next_.fetch_add(1, std::memory_order_relaxed); item < count_;
         item = next_.fetch_add(1, std::memory_order_relaxed))
        body_(context_, item);
}

bool WorkerPool::wait_for_job(uint32_t &seen) {
    const auto arrived = [&] {
        const uint64_t state = state_.load(std::memory_order_relaxed);
        return stopping_.load(std::memory_order_relaxed) || ((state & kOpen) != 0 && job_of(state) != seen);
    };
    while (!spin(arrived)) {
        const uint32_t wake = wake_.load();
        sleeping_.fetch_add(1);
        if (!arrived())
            wake_.wait(wake);
        sleeping_.fetch_sub(1);
    }
    return !stopping_.load();
}

void WorkerPool::work(uint32_t seen) {
    while (wait_for_job(seen)) {
        uint64_t state = state_.load();
        bool joined = false;
        while (!joined && (state & kOpen) != 0 && job_of(state) != seen)
            joined = state_.compare_exchange_weak(state, state + 1);
        if (!joined)
            continue;
        seen = job_of(state);
        run_items();
        state_.fetch_sub(1, std::memory_order_release);
    }
}

void WorkerPool::run(int64_t count, void (*body)(void *context, int64_t begin, int64_t end), void *context) {
    const int64_t parts = std::min<int64_t>(count, int64_t{4} * threads());
    auto part = [=](int64_t i) { body(context, count * i / parts, count * (i + 1) / parts); };
    for_each(parts, part);
}

} // namespace marlin::cpu
