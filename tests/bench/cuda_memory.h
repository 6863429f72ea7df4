// Device memory and a stream of the benchmark's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cuda_runtime_api.h>
#include <utility>

#include "cuda/check.h"

namespace marlin::bench {

using cuda::check;

class DeviceBytes {
public:
    DeviceBytes() = default;
    explicit DeviceBytes(int64_t size) : size_(size) {
        check(cudaMalloc(&data_, static_cast<size_t>(size)), "cudaMalloc");
    }
    ~DeviceBytes() { cudaFree(data_); }
    DeviceBytes(DeviceBytes &&other) noexcept { swap(other); }
    DeviceBytes &operator=(DeviceBytes &&other) noexcept {
        swap(other);
        return *this;
    }

    std::byte *data() const { return static_cast<std::byte *>(data_); }
    int64_t size() const { return size_; }

private:
    void swap(DeviceBytes &other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
    }

    void *data_ = nullptr;
    int64_t size_ = 0;
};

class Stream {
public:
    Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags"); }
    ~Stream() { cudaStreamDestroy(stream_); }
    Stream(const Stream &) = delete;
    Stream &operator=(const Stream &) = delete;

    cudaStream_t get() const { return stream_; }
    void synchronize() const { check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize"); }

private:
    cudaStream_t stream_ = nullptr;
};

} // namespace marlin::bench
