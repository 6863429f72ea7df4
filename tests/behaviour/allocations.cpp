// The program's own operator new, malloc and relatives: dynamic linking makes the library use them too.
#include "behaviour/allocations.h"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>

// Sanitizers bring a malloc of their own, which must stay.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define MARLIN_TEST_OWN_MALLOC 1
#endif

namespace {

std::atomic<int64_t> allocations = 0;
std::atomic<int64_t> live_new = 0;

// Plain integers: a constructor would allocate.
thread_local int64_t until_failure = -1; // -1: never
thread_local int64_t failures_left = 0;
thread_local int64_t failures = 0;

bool allocation_fails() {
    allocations.fetch_add(1, std::memory_order_relaxed);
    if (until_failure < 0)
        return false;
    if (until_failure > 0) {
        --until_failure;
        return false;
    }
    if (failures_left == 0)
        return false;
    --failures_left;
    ++failures;
    return true;
}

} // namespace

namespace marlin::test {

int64_t allocation_count() {
    return allocations.load();
}
int64_t live_new_count() {
    return live_new.load();
}

FailingAllocations::FailingAllocations(int64_t first, int64_t count) {
    failures = 0;
    failures_left = count;
    until_failure = first;
}
FailingAllocations::~FailingAllocations() {
    until_failure = -1;
}
int64_t FailingAllocations::failed() const {
    return failures;
}

} // namespace marlin::test

#ifdef MARLIN_TEST_OWN_MALLOC
#define MARLIN_TEST_EXPORT extern "C" __attribute__((visibility("default")))

// glibc's own, under the names that it keeps for programs which replace malloc.
extern "C" {
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
}

namespace {

template <typename Allocate>
void *counted(Allocate allocate) {
    if (allocation_fails()) {
        errno = ENOMEM;
        return nullptr;
    }
    return allocate();
}

} // namespace

MARLIN_TEST_EXPORT void *malloc(size_t size) noexcept {
    return counted([=] { return __libc_malloc(size); });
}
MARLIN_TEST_EXPORT void *calloc(size_t count, size_t size) noexcept {
    return counted([=] { return __libc_calloc(count, size); });
}
MARLIN_TEST_EXPORT void *realloc(void *memory, size_t size) noexcept {
    return counted([=] { return __libc_realloc(memory, size); });
}
MARLIN_TEST_EXPORT void *memalign(size_t alignment, size_t size) noexcept {
    return counted([=] { return __libc_memalign(alignment, size); });
}
MARLIN_TEST_EXPORT void *aligned_alloc(size_t alignment, size_t size) noexcept {
    return counted([=] { return __libc_memalign(alignment, size); });
}
MARLIN_TEST_EXPORT int posix_memalign(void **memory, size_t alignment, size_t size) noexcept {
    void *const made = counted([=] { return __libc_memalign(alignment, size); });
    if (made == nullptr)
        return ENOMEM;
    *memory = made;
    return 0;
}
#endif

namespace {

// malloc counts and fails by itself where it is ours.
void *allocate_new(size_t size, size_t alignment) {
#ifndef MARLIN_TEST_OWN_MALLOC
    if (allocation_fails())
        throw std::bad_alloc();
#endif
    const size_t rounded = (size + alignment - 1) / alignment * alignment;
    void *const memory = alignment <= alignof(std::max_align_t) ? std::malloc(size == 0 ? 1 : size)
                                                                : std::aligned_alloc(alignment, rounded);
    if (memory == nullptr)
        throw std::bad_alloc();
    live_new.fetch_add(1, std::memory_order_relaxed);
    return memory;
}
void *allocate_or_null(size_t size) noexcept {
    try {
        return allocate_new(size, alignof(std::max_align_t));
    } catch (const std::bad_alloc &) {
        return nullptr;
    }
}
void free_new(void *memory) {
    if (memory == nullptr)
        return;
    live_new.fetch_sub(1, std::memory_order_relaxed);
    std::free(memory);
}
constexpr size_t kAnyAlignment = alignof(std::max_align_t);

} // namespace

void *operator new(size_t size) {
    return allocate_new(size, kAnyAlignment);
}
void *operator new[](size_t size) {
    return allocate_new(size, kAnyAlignment);
}
void *operator new(size_t size, std::align_val_t alignment) {
    return allocate_new(size, static_cast<size_t>(alignment));
}
void *operator new[](size_t size, std::align_val_t alignment) {
    return allocate_new(size, static_cast<size_t>(alignment));
}
void *operator new(size_t size, const std::nothrow_t &) noexcept {
    return allocate_or_null(size);
}
void *operator new[](size_t size, const std::nothrow_t &) noexcept {
    return allocate_or_null(size);
}
void operator delete(void *memory) noexcept {
    free_new(memory);
}
void operator delete[](void *memory) noexcept {
    free_new(memory);
}
void operator delete(void *memory, size_t) noexcept {
    free_new(memory);
}
void operator delete[](void *memory, size_t) noexcept {
    free_new(memory);
}
void operator delete(void *memory, std::align_val_t) noexcept {
    free_new(memory);
}
void operator delete[](void *memory, std::align_val_t) noexcept {
    free_new(memory);
}
void operator delete(void *memory, size_t, std::align_val_t) noexcept {
    free_new(memory);
}
void operator delete[](void *memory, size_t, std::align_val_t) noexcept {
    free_new(memory);
}
