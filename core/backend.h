// What a backend is: a device that packs, unpacks and multiplies. The C interface knows nothing else of CPU and CUDA.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/problem.h"
#include "pack/request.h"

namespace marlin {

enum class DeviceKind : int32_t { Default = 0, Cuda = 1, Cpu = 2 };
enum class Math : int32_t { Default = 0, BatchInvariant = 1 };

// The numbers are those of marlin_option.
enum class Option : int32_t {
    Math = 1,
    SmCount = 2,
    NumThreads = 3,
    CpuIsa = 4,
    Kernel = 5,
    DependentLaunch = 6,
};

struct BackendInfo {
    DeviceKind kind = DeviceKind::Cpu;
    int32_t device_id = 0;
    int32_t compute_capability = 0;
    int32_t sm_count = 0;
    int32_t num_threads = 0;
    int64_t workspace_size = 0;
    std::string name;
};

// The kernel that a problem gets: a pure function of problem, options and device.
struct KernelPlan {
    const char *kernel = ""; // static storage
    int32_t number = 0;
    int32_t tile_m = 0;
    int32_t tile_n = 0;
    int32_t tile_k = 0;
    int32_t stages = 0;
    int32_t blocks = 0;
    int64_t workspace_size = 0;
    bool slow = false;
    std::string why; // one sentence when slow
};

// Pointers and strides of one multiply; checked by the caller against the problem (sizes, types, overlap).
struct GemmOperands {
    const void *a = nullptr;
    void *c = nullptr;
    const void *bias = nullptr;
    int64_t lda = 0; // never 0 here
    int64_t ldc = 0;
};

class Backend {
public:
    virtual ~Backend() = default;

    virtual BackendInfo info() const = 0;
    virtual void set_option(Option option, int64_t value) = 0;
    virtual int64_t get_option(Option option) const = 0;
    virtual void set_stream(void *stream) = 0;
    virtual void *stream() const = 0;
    // NULL and 0: the library's own.
    virtual void set_workspace(void *workspace, int64_t size) = 0;

    // The layout that Layout::Default means here.
    virtual Layout default_layout(bool sparse) const = 0;
    // Fails unless `pointer` may be used as memory of this backend.
    virtual void check_memory(const void *pointer, const char *name) const = 0;

    // `host_input`: request's spans lie in host memory even on a GPU. `packed` lies in the backend's memory.
    virtual WeightsView pack(const PackRequest &request, bool host_input, std::span<std::byte> packed) = 0;
    virtual void unpack(const WeightsView &weights, const UnpackRequest &request) = 0;
    virtual WeightsView attach(std::span<const std::byte> packed) = 0;

    // NotSupported when no kernel can run the problem.
    virtual KernelPlan plan(const Problem &problem, const WeightsView &weights) const = 0;
    // Neither allocates nor waits for the device (the CPU returns when done). problem.m >= 1.
    virtual void gemm(const Problem &problem, const GemmOperands &operands, const WeightsView &weights) = 0;
};

struct BackendConfig {
    int32_t device_id = 0;
    int32_t num_threads = 0;
    void *stream = nullptr;
    void *workspace = nullptr;
    int64_t workspace_size = 0;
    // Receives a sentence about what takes long or goes slower than it could, before it happens; may be null.
    void (*warn)(std::string_view text) = nullptr;
};

std::unique_ptr<Backend> make_cpu_backend(const BackendConfig &config);
std::unique_ptr<Backend> make_cuda_backend(const BackendConfig &config);
// Whether an NVIDIA device is present at all, usable or not: what DeviceKind::Default asks.
bool cuda_device_present();

} // namespace marlin
