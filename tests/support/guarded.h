// Output memory that knows whether anybody wrote to it, or beside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace marlin::test {

// `size` bytes at `offset` behind a 256-byte boundary, between two fences; all of it filled with a pattern that depends
// on the place, so that neither a constant nor a copy from elsewhere looks untouched.
class GuardedBuffer {
public:
    explicit GuardedBuffer(size_t size, size_t offset = 0)
        : size_(size), offset_(kFence + offset), whole_((offset_ + size + kFence + 255) / 256 * 256),
          memory_(static_cast<unsigned char *>(std::aligned_alloc(256, whole_))) {
        if (memory_ == nullptr)
            throw std::bad_alloc();
        poison();
    }

    void *data() { return memory_.get() + offset_; }
    const void *data() const { return memory_.get() + offset_; }
    template <typename T>
    T *as() {
        return static_cast<T *>(data());
    }
    size_t size() const { return size_; }

    void poison() {
        for (size_t i = 0; i < whole_; ++i)
            memory_[i] = pattern(i);
    }
    bool fences_intact() const { return unchanged(0, offset_) && unchanged(offset_ + size_, whole_); }
    bool untouched() const { return unchanged(0, whole_); }
    // Whether bytes [begin, end) of the buffer still hold the pattern.
    bool untouched(size_t begin, size_t end) const { return unchanged(offset_ + begin, offset_ + end); }

private:
    static constexpr size_t kFence = 512;

    static unsigned char pattern(size_t i) { return static_cast<unsigned char>(0xa5 ^ (i * 37) ^ (i >> 8)); }
    bool unchanged(size_t begin, size_t end) const {
        for (size_t i = begin; i < end; ++i)
            if (memory_[i] != pattern(i))
                return false;
        return true;
    }

    struct Free {
        void operator()(unsigned char *memory) const { std::free(memory); }
    };

    size_t size_;
    size_t offset_;
    size_t whole_;
    std::unique_ptr<unsigned char[], Free> memory_;
};

} // namespace marlin::test
