// The backend of an NVIDIA GPU: device, stream and workspace of a handle, and what its calls are made of.
#pragma once

#include <memory>

#include "backend.h"
#include "cuda/device.h"
#include "cuda/multiply.h"
#include "cuda/runtime.h"
#include "cuda/scratch.h"

namespace marlin::cuda {

class CudaBackend final : public Backend {
public:
    explicit CudaBackend(const BackendConfig &config);
    ~CudaBackend() override;
    CudaBackend(const CudaBackend &) = delete;
    CudaBackend &operator=(const CudaBackend &) = delete;

    BackendInfo info() const override;
    void set_option(Option option, int64_t value) override;
    int64_t get_option(Option option) const override;
    void set_stream(void *stream) override;
    void *stream() const override { return stream_; }
    void set_workspace(void *workspace, int64_t size) override;

    Layout default_layout(bool sparse) const override;
    void check_memory(const void *pointer, const char *name) const override;

    WeightsView pack(const PackRequest &request, bool host_input, std::span<std::byte> packed) override;
    void unpack(const WeightsView &weights, const UnpackRequest &request) override;
    WeightsView attach(std::span<const std::byte> packed) override;

    KernelPlan plan(const Problem &problem, const WeightsView &weights) const override;
    void gemm(const Problem &problem, const GemmOperands &operands, const WeightsView &weights) override;

private:
    MultiplyContext context() const;
    WorkPlace work_place() const;
    // Counters at its start are zero between calls.
    void adopt_workspace(void *workspace, int64_t size);

    // The workspace when none was given: what architecture and contract promise to be enough for every call.

    DeviceInfo device_;
    void *stream_ = nullptr;
    DeviceMemory own_workspace_;
    void *workspace_ = nullptr;
    int64_t workspace_size_ = 0;
    std::unique_ptr<Event> order_; // work of this handle: recorded where the stream changes and at the end
    int64_t sm_count_ = 0;         // options, see marlin_option
    Math math_ = Math::Default;
    int64_t kernel_ = 0;
    int64_t dependent_launch_ = 0;
    LaunchCache launches_; // for the options as they are
};

} // namespace marlin::cuda
