// The few runtime services a CUDA backend needs: current device, memory, copies, streams and events; plain C++.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace marlin::cuda {

// cudaStream_t as the C interface carries it; null is the legacy default stream.
using Stream = void *;

// Makes a device current for a scope and restores the caller's.
class DeviceGuard {
public:
    explicit DeviceGuard(int32_t ordinal);
    ~DeviceGuard();
    DeviceGuard(const DeviceGuard &) = delete;
    DeviceGuard &operator=(const DeviceGuard &) = delete;

private:
    int32_t previous_ = 0;
    bool changed_ = false;
};

enum class MemoryKind : int32_t { Host, PinnedHost, Device, Managed };

struct PointerInfo {
    MemoryKind kind = MemoryKind::Host;
    int32_t ordinal = -1; // of Device and Managed memory
};
PointerInfo query_pointer(const void *pointer);
std::string to_string(const PointerInfo &info); // "memory of CUDA device 1", for error texts
// Whether kernels on the device may use the pointer without a copy: its own memory, or managed memory.
bool is_memory_of(const PointerInfo &info, int32_t ordinal);

// Device memory that is freed with its owner. A size of 0 allocates nothing.
class DeviceMemory {
public:
    DeviceMemory() = default;
    DeviceMemory(int32_t ordinal, std::size_t size); // OutOfMemory names size and what is free
    ~DeviceMemory();
    DeviceMemory(DeviceMemory &&other) noexcept { swap(other); }
    DeviceMemory &operator=(DeviceMemory &&other) noexcept {
        swap(other);
        return *this;
    }

    void *data() const { return data_; }
    std::size_t size() const { return size_; }

private:
    void swap(DeviceMemory &other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(ordinal_, other.ordinal_);
    }

    void *data_ = nullptr;
    std::size_t size_ = 0;
    int32_t ordinal_ = 0;
};

// Copies and fills are enqueued on the stream; to_host returns with the bytes there.
void copy_to_device(void *dst, const void *src, std::size_t size, Stream stream);
void copy_to_host(void *dst, const void *src, std::size_t size, Stream stream);
void copy_on_device(void *dst, const void *src, std::size_t size, Stream stream);
void fill_bytes(void *dst, uint8_t value, std::size_t size, Stream stream);

void synchronize(Stream stream);
// InvalidArgument unless the stream belongs to the device. The null stream belongs to every device.
void check_stream(Stream stream, int32_t ordinal);
bool is_capturing(Stream stream);

// A point in a stream. Of the device that is current when it is made.
class Event {
public:
    Event();
    ~Event();
    Event(const Event &) = delete;
    Event &operator=(const Event &) = delete;

    void record(Stream stream);
    void wait_in(Stream stream) const; // later work of the stream waits for the recorded point
    void synchronize() const;          // the calling thread waits

private:
    void *event_ = nullptr;
};

} // namespace marlin::cuda
