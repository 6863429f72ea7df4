// Device memory and streams for tests of CUDA handles; only in builds with CUDA.
#pragma once

#include <cuda_runtime_api.h>
#include <vector>

#include "support/api.h"

// A CUDA call of the test's own that must succeed.
#define REQUIRE_CUDA(call) REQUIRE(std::string(cudaGetErrorName(call)) == "cudaSuccess")

namespace marlin::test {

inline marlin_handle_desc cuda_desc(int32_t device_id = 0) {
    auto desc = with_size<marlin_handle_desc>();
    desc.device = MARLIN_DEVICE_CUDA;
    desc.device_id = device_id;
    return desc;
}

inline int cuda_device_count() {
    int count = 0;
    REQUIRE_CUDA(cudaGetDeviceCount(&count));
    return count;
}

enum class Memory { Device, Managed, PinnedHost };

// Filled with 0xa5, so that nothing written shows.
class CudaBuffer {
public:
    explicit CudaBuffer(size_t size, Memory memory = Memory::Device) : size_(size), memory_(memory) {
        if (memory == Memory::Device)
            REQUIRE_CUDA(cudaMalloc(&data_, size));
        else if (memory == Memory::Managed)
            REQUIRE_CUDA(cudaMallocManaged(&data_, size));
        else
            REQUIRE_CUDA(cudaMallocHost(&data_, size));
        REQUIRE_CUDA(cudaMemset(data_, kFill, size));
        REQUIRE_CUDA(cudaDeviceSynchronize());
    }
    CudaBuffer(const void *bytes, size_t size) : CudaBuffer(size) {
        REQUIRE_CUDA(cudaMemcpy(data_, bytes, size, cudaMemcpyDefault));
    }
    ~CudaBuffer() { memory_ == Memory::PinnedHost ? cudaFreeHost(data_) : cudaFree(data_); }
    CudaBuffer(const CudaBuffer &) = delete;
    CudaBuffer &operator=(const CudaBuffer &) = delete;

    void *data() const { return data_; }
    size_t size() const { return size_; }
    std::vector<unsigned char> bytes() const {
        std::vector<unsigned char> result(size_);
        REQUIRE_CUDA(cudaMemcpy(result.data(), data_, size_, cudaMemcpyDefault));
        return result;
    }
    bool untouched() const { return bytes() == std::vector<unsigned char>(size_, kFill); }

private:
    static constexpr unsigned char kFill = 0xa5;

    void *data_ = nullptr;
    size_t size_;
    Memory memory_;
};

class CudaStream {
public:
    CudaStream() { REQUIRE_CUDA(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking)); }
    ~CudaStream() { cudaStreamDestroy(stream_); }
    CudaStream(const CudaStream &) = delete;
    CudaStream &operator=(const CudaStream &) = delete;
    operator cudaStream_t() const { return stream_; }

private:
    cudaStream_t stream_ = nullptr;
};

} // namespace marlin::test
