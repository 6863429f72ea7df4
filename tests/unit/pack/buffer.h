// Memory for packed bytes: aligned as the packer wants it, poisoned, and fenced behind the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "pack/pack.h"

namespace marlin::test {

class PackedBuffer {
public:
    explicit PackedBuffer(int64_t size, unsigned char poison = 0xa5)
        : size_(size), poison_(poison),
          data_(static_cast<std::byte *>(std::aligned_alloc(256, static_cast<size_t>(size + 511) / 256 * 256)),
                &std::free) {
        std::memset(data_.get(), poison, static_cast<size_t>(size) + kFence);
    }
    std::span<std::byte> bytes() { return {data_.get(), static_cast<size_t>(size_)}; }
    std::span<const std::byte> bytes() const { return {data_.get(), static_cast<size_t>(size_)}; }
    // Whether nothing from `begin` on, the fence included, was written.
    bool untouched_from(int64_t begin) const {
        for (int64_t i = begin; i < size_ + kFence; ++i)
            if (data_.get()[i] != static_cast<std::byte>(poison_))
                return false;
        return true;
    }

private:
    static constexpr int64_t kFence = 64;
    int64_t size_;
    unsigned char poison_;
    std::unique_ptr<std::byte, decltype(&std::free)> data_;
};

class SerialFor final : public ParallelFor {
public:
    void run(int64_t count, void (*body)(void *, int64_t, int64_t), void *context) override { body(context, 0, count); }
};

// Uneven parts on as many threads, the last part first.
class ThreadedFor final : public ParallelFor {
public:
    explicit ThreadedFor(int threads) : threads_(threads) {}
    void run(int64_t count, void (*body)(void *, int64_t, int64_t), void *context) override {
        std::vector<std::thread> pool;
        for (int64_t t = threads_; t-- > 0;) {
            const int64_t begin = count * t * t / (threads_ * threads_);
            const int64_t end = count * (t + 1) * (t + 1) / (threads_ * threads_);
            if (begin < end)
                pool.emplace_back([=] { body(context, begin, end); });
        }
        for (std::thread &thread : pool)
            thread.join();
    }

private:
    int64_t threads_;
};

} // namespace marlin::test
