// The CUDA backend on top of cuda/runtime.h; it says NotSupported where the library was built without CUDA.
#include "cuda/cuda_backend.h"

#include <algorithm>

#include "common/error.h"
#include "cuda/pack.h"

namespace marlin::cuda {

CudaBackend::CudaBackend(const BackendConfig &config) : device_(open_device(config.device_id)) {
    const DeviceGuard guard(device_.ordinal);
    check_stream(config.stream, device_.ordinal);
    stream_ = config.stream;
    if (config.workspace != nullptr)
        check_memory(config.workspace, "workspace");
    set_workspace(config.workspace, config.workspace_size);
    order_ = std::make_unique<Event>();
    const std::string note = code_note(device_);
    if (config.warn != nullptr && !note.empty())
        config.warn(note);
    prepare_kernels(device_);
}

CudaBackend::~CudaBackend() {
    try {
        const DeviceGuard guard(device_.ordinal);
        order_->record(stream_);
        order_->synchronize();
        order_.reset();
        own_workspace_ = DeviceMemory();
    } catch (const Error &) {
        // A destructor has nobody to tell; the device's error stays for the next call that asks.
        return;
    }
}

BackendInfo CudaBackend::info() const {
    BackendInfo result;
    result.kind = DeviceKind::Cuda;
    result.device_id = device_.ordinal;
    result.compute_capability = device_.compute_capability;
    result.sm_count = device_.sm_count;
    result.workspace_size = workspace_size_;
    result.name = device_.name;
    return result;
}

void CudaBackend::set_option(Option option, int64_t value) {
    launches_.clear();
    switch (option) {
    case Option::Math:
        math_ = static_cast<Math>(value);
        return;
    case Option::SmCount:
        if (value > device_.sm_count)
            fail(Status::InvalidArgument, "MARLIN_OPTION_SM_COUNT is {}, expected 0 to {}", value, device_.sm_count);
        sm_count_ = value;
        return;
    case Option::Kernel:
        kernel_ = value;
        return;
    case Option::DependentLaunch:
        dependent_launch_ = value;
        return;
    case Option::NumThreads:
    case Option::CpuIsa:
        return; // the CPU's: only 0 comes this far
    }
}

int64_t CudaBackend::get_option(Option option) const {
    switch (option) {
    case Option::Math:
        return static_cast<int64_t>(math_);
    case Option::SmCount:
        return sm_count_;
    case Option::Kernel:
        return kernel_;
    case Option::DependentLaunch:
        return dependent_launch_;
    case Option::NumThreads:
    case Option::CpuIsa:
        break;
    }
    return 0;
}

void CudaBackend::set_stream(void *stream) {
    const DeviceGuard guard(device_.ordinal);
    check_stream(stream, device_.ordinal);
    if (stream == stream_)
        return;
    order_->record(stream_);
    order_->wait_in(stream);
    stream_ = stream;
}

void CudaBackend::set_workspace(void *workspace, int64_t size) {
    const DeviceGuard guard(device_.ordinal);
    if (workspace == nullptr) {
        if (own_workspace_.size() == 0)
            own_workspace_ = DeviceMemory(device_.ordinal, kDefaultWorkspace);
        adopt_workspace(own_workspace_.data(), kDefaultWorkspace);
        return;
    }
    // The library's own is freed only when work that may still use it has ended.
    if (own_workspace_.size() != 0) {
        synchronize(stream_);
        own_workspace_ = DeviceMemory();
    }
    adopt_workspace(workspace, size);
}

void CudaBackend::adopt_workspace(void *workspace, int64_t size) {
    fill_bytes(workspace, 0, static_cast<size_t>(std::min(size, kArrivalsSize)), stream_);
    workspace_ = workspace;
    workspace_size_ = size;
}

MultiplyContext CudaBackend::context() const {
    MultiplyContext result;
    result.limits.sm_count = sm_count_ != 0 ? static_cast<int32_t>(sm_count_) : device_.sm_count;
    result.limits.shared_memory_per_block = device_.shared_memory_per_block;
    result.limits.compute_capability = device_.compute_capability;
    result.wishes.math = math_;
    result.wishes.kernel = kernel_;
    result.stream = stream_;
    result.workspace = workspace_;
    result.workspace_size = workspace_size_;
    result.early_launches = device_.compute_capability >= 90;
    result.dependent_launch = result.early_launches && dependent_launch_ != 0;
    return result;
}

Layout CudaBackend::default_layout(bool sparse) const {
    return sparse ? Layout::Sparse24Draft : Layout::Dense;
}

void CudaBackend::check_memory(const void *pointer, const char *name) const {
    const DeviceGuard guard(device_.ordinal);
    const PointerInfo found = query_pointer(pointer);
    if (!is_memory_of(found, device_.ordinal))
        fail(Status::InvalidArgument, "{} points to {}, expected memory of CUDA device {}", name, to_string(found),
             device_.ordinal);
}

WorkPlace CudaBackend::work_place() const {
    WorkPlace place;
    place.ordinal = device_.ordinal;
    place.stream = stream_;
    if (workspace_size_ > kArrivalsSize) {
        place.workspace = static_cast<std::byte *>(workspace_) + kArrivalsSize;
        place.workspace_size = workspace_size_ - kArrivalsSize;
    }
    return place;
}

WeightsView CudaBackend::pack(const PackRequest &request, bool host_input, std::span<std::byte> packed) {
    const DeviceGuard guard(device_.ordinal);
    return pack_on_device(request, host_input, packed, work_place());
}

void CudaBackend::unpack(const WeightsView &weights, const UnpackRequest &request) {
    const DeviceGuard guard(device_.ordinal);
    unpack_on_device(weights, request, work_place());
}

WeightsView CudaBackend::attach(std::span<const std::byte> packed) {
    const DeviceGuard guard(device_.ordinal);
    return attach_on_device(packed, work_place());
}

KernelPlan CudaBackend::plan(const Problem &problem, const WeightsView &weights) const {
    const Layout expected = default_layout(problem.sparse);
    if (weights.shape().layout != expected)
        fail(Status::NotSupported, "b has layout {:#x} ({}), expected {:#x} ({}) for CUDA kernels",
             static_cast<int32_t>(weights.shape().layout), to_string(weights.shape().layout),
             static_cast<int32_t>(expected), to_string(expected));
    return plan_multiply(problem, weights, context());
}

void CudaBackend::gemm(const Problem &problem, const GemmOperands &operands, const WeightsView &weights) {
    if (weights.shape().layout != default_layout(problem.sparse))
        static_cast<void>(plan(problem, weights));
    const DeviceGuard guard(device_.ordinal);
    MultiplyContext of_call = context();
    of_call.launches = &launches_;
    run_multiply(problem, operands, weights, of_call);
}

} // namespace marlin::cuda

namespace marlin {

std::unique_ptr<Backend> make_cuda_backend(const BackendConfig &config) {
    return std::make_unique<cuda::CudaBackend>(config);
}

bool cuda_device_present() {
    return cuda::survey().presence != cuda::Presence::Absent;
}

} // namespace marlin
