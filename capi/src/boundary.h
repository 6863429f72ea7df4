// Where C++ ends: exceptions become a status and a text, descriptors are read by their struct_size.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <string_view>

#include <unistd.h>

#include "backend.h"
#include "common/error.h"
#include "log.h"
#include "marlin/marlin.h"

namespace marlin::capi {

// A text that can be set where memory has run out, and read while another thread sets it.
class ErrorText {
public:
    void set(std::string_view text) noexcept {
        const std::lock_guard lock(mutex_);
        size_ = std::min(text.size(), sizeof text_);
        std::memcpy(text_, text.data(), size_);
    }
    // What fits into size - 1 characters, terminated; returns the full length.
    size_t copy(char *to, size_t size) const noexcept {
        const std::lock_guard lock(mutex_);
        if (to != nullptr && size > 0) {
            const size_t length = std::min(size_, size - 1);
            std::memcpy(to, text_, length);
            to[length] = '\0';
        }
        return size_;
    }

private:
    mutable std::mutex mutex_;
    char text_[1016] = {};
    size_t size_ = 0;
};

// Of this thread's last failed call that had no usable handle.
ErrorText &thread_error() noexcept;

} // namespace marlin::capi

struct marlin_handle {
    static constexpr uint64_t kAlive = 0x6d61726c696e4831; // "marlinH1"

    uint64_t alive = kAlive;
    pid_t owner = getpid();
    std::atomic<bool> busy = false;
    std::unique_ptr<marlin::Backend> backend;
    marlin::DeviceKind kind = marlin::DeviceKind::Cpu;
    int32_t device_id = 0;
    marlin::capi::ErrorText error;
};

namespace marlin::capi {

// Fails unless the handle is one of ours and of this process.
inline void check_usable(marlin_handle_t handle) {
    if (handle == nullptr)
        fail(Status::InvalidArgument, "handle is NULL, expected one that marlin_handle_create made");
    if (handle->alive != marlin_handle::kAlive)
        fail(Status::InvalidArgument, "handle is not one that marlin_handle_create made, or was destroyed");
    if (handle->owner != getpid())
        fail(Status::InvalidArgument,
             "handle belongs to process {}, this is process {}: after fork the child makes handles of its own",
             handle->owner, getpid());
}

// Holds the handle for one call; a second thread is refused instead of racing.
class Entry {
public:
    explicit Entry(marlin_handle_t handle) {
        check_usable(handle);
        if (handle->busy.exchange(true, std::memory_order_acquire))
            fail(Status::InvalidArgument, "handle is in use by another thread: a handle serves one thread at a time");
        handle_ = handle;
    }
    ~Entry() {
        if (handle_ != nullptr)
            handle_->busy.store(false, std::memory_order_release);
    }
    Entry(const Entry &) = delete;
    Entry &operator=(const Entry &) = delete;

private:
    marlin_handle_t handle_ = nullptr;
};

// Runs body and turns what it throws into a status; the text goes to `sink` and to the log.
template <typename Body>
marlin_status translate(const char *function, ErrorText &sink, Body &&body) noexcept {
    const auto failed = [&](Status status, std::string_view text) {
        sink.set(text);
        log_failure(function, text);
        return static_cast<marlin_status>(status);
    };
    try {
        body();
        return MARLIN_SUCCESS;
    } catch (const Error &error) {
        return failed(error.status(), error.text());
    } catch (const std::bad_alloc &) {
        return failed(Status::OutOfMemory, "host memory is exhausted");
    } catch (const std::exception &error) {
        return failed(Status::InternalError, error.what());
    } catch (...) {
        return failed(Status::InternalError, "an unknown exception");
    }
}

// The frame of every entry point that takes a handle: body(handle).
template <typename Body>
marlin_status with_handle(const char *function, marlin_handle_t handle, Body &&body) noexcept {
    marlin_status status = MARLIN_SUCCESS;
    const marlin_status entered = translate(function, thread_error(), [&] {
        const Entry entry(handle);
        status = translate(function, handle->error, [&] { body(*handle); });
    });
    return entered != MARLIN_SUCCESS ? entered : status;
}

// A descriptor as this library knows it: older and shorter ones are filled up with zeros down to the first released
// size, the tail of newer ones must be zero.
template <typename T>
T read_struct(const T *given, const char *name, size_t first_size = sizeof(T)) {
    constexpr size_t kSane = 4096; // anything longer is a struct_size that was never set
    if (given == nullptr)
        fail(Status::InvalidArgument, "{} is NULL", name);
    const size_t size = given->struct_size;
    if (size < first_size || size > kSane)
        fail(Status::InvalidArgument, "{}.struct_size is {}, expected sizeof the struct, {}", name, size, sizeof(T));
    const auto *bytes = reinterpret_cast<const unsigned char *>(given);
    if (std::any_of(bytes + std::min(size, sizeof(T)), bytes + size, [](unsigned char byte) { return byte != 0; }))
        fail(Status::InvalidArgument,
             "{}.struct_size is {}, {} are known to this version, and the bytes behind them are not zero", name, size,
             sizeof(T));
    T known = {};
    std::memcpy(static_cast<void *>(&known), given, std::min(size, sizeof(T)));
    return known;
}

// Fails unless an output struct can take what this library fills in.
template <typename T>
void check_output(const T *out, const char *name, size_t first_size = sizeof(T)) {
    if (out == nullptr)
        fail(Status::InvalidArgument, "{} is NULL", name);
    if (out->struct_size < first_size)
        fail(Status::InvalidArgument, "{}.struct_size is {}, expected sizeof the struct, {}", name, out->struct_size,
             sizeof(T));
}

// Fills the part of an output struct that both sides know.
template <typename T>
void write_struct(T *out, T value) {
    value.struct_size = out->struct_size;
    std::memcpy(static_cast<void *>(out), &value, std::min<size_t>(out->struct_size, sizeof(T)));
}

template <typename Range>
void check_reserved(const Range &reserved, const char *name) {
    for (const auto value : reserved)
        if (value != 0)
            fail(Status::InvalidArgument, "{} is {}, expected 0", name, value);
}

// Copies a text into a fixed array of an output struct, cut and terminated.
template <size_t Size>
void copy_text(char (&to)[Size], std::string_view from) {
    const size_t length = std::min(from.size(), Size - 1);
    std::memcpy(to, from.data(), length);
    to[length] = '\0';
}

// Fails unless lowest <= value <= highest.
inline void check_range(const char *name, int64_t value, int64_t lowest, int64_t highest) {
    if (value < lowest || value > highest)
        fail(Status::InvalidArgument, "{} is {}, expected {} to {}", name, value, lowest, highest);
}

// Types 6 to 9 are valid numbers whose meaning comes with a later version.
inline void check_not_kept(const char *name, int32_t type) {
    if (type >= MARLIN_TYPE_S8 && type <= MARLIN_TYPE_U3)
        fail(Status::NotSupported, "{} is {} ({}), which is kept for a later version of libmarlin", name, type,
             to_string(static_cast<Type>(type)));
}

inline void check_alignment(const void *pointer, const char *name, size_t alignment) {
    if (reinterpret_cast<uintptr_t>(pointer) % alignment != 0)
        fail(Status::InvalidArgument, "{} is {}, expected a multiple of {} bytes", name, pointer, alignment);
}

inline bool overlap(const void *a, int64_t a_size, const void *b, int64_t b_size) {
    const auto a_begin = reinterpret_cast<uintptr_t>(a);
    const auto b_begin = reinterpret_cast<uintptr_t>(b);
    return a_size > 0 && b_size > 0 && a_begin < b_begin + static_cast<uintptr_t>(b_size) &&
           b_begin < a_begin + static_cast<uintptr_t>(a_size);
}

} // namespace marlin::capi
