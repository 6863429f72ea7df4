// The CUDA backend on top of cuda/runtime.h; it says NotSupported where the library was built without CUDA.
#include "cuda/cuda_backend.h"

#include <algorithm>
#include <vector>

#include "common/error.h"
#include "pack/pack.h"

namespace marlin::cuda {
namespace {

// Host-side work of packing on the calling thread.
class Serial final : public ParallelFor {
public:
    void run(int64_t count, void (*body)(void *, int64_t, int64_t), void *context) override {
        if (count > 0)
            body(context, 0, count);
    }
};

// A span of the request brought to host memory; `storage` keeps the copy.
template <typename T>
std::span<const T> to_host(std::span<const T> device, std::vector<T> &storage, Stream stream) {
    if (device.empty())
        return {};
    storage.resize(device.size());
    copy_to_host(storage.data(), device.data(), device.size_bytes(), stream);
    return storage;
}

// A host view's pointers moved to where the same bytes lie on the device.
WeightsView moved(WeightsView view, const std::byte *body) {
    const auto offset = [&](const auto *pointer) { return reinterpret_cast<const std::byte *>(pointer) - view.body; };
    if (view.perm != nullptr)
        view.perm = reinterpret_cast<const int32_t *>(body + offset(view.perm));
    if (view.column_scales != nullptr)
        view.column_scales = reinterpret_cast<const float *>(body + offset(view.column_scales));
    view.body = body;
    return view;
}

// Packed bytes on the host, aligned as every section wants it.
class HostPacked {
public:
    explicit HostPacked(size_t size) : storage_(size / sizeof(Chunk) + 1), size_(size) {}
    std::span<std::byte> bytes() { return std::as_writable_bytes(std::span(storage_)).first(size_); }

private:
    struct alignas(kSectionAlignment) Chunk {
        std::byte bytes[kSectionAlignment];
    };
    std::vector<Chunk> storage_;
    size_t size_;
};

// A host buffer for one output of unpack, written back to the device when it is full.
std::span<std::byte> shadow(std::span<std::byte> device, std::vector<std::byte> &storage, Stream stream) {
    if (device.empty())
        return {};
    storage.resize(device.size());
    // Strided outputs leave gaps that belong to the caller: bring them along, so that they return unchanged.
    copy_to_host(storage.data(), device.data(), device.size(), stream);
    return storage;
}

} // namespace

CudaBackend::CudaBackend(const BackendConfig &config) : device_(open_device(config.device_id)) {
    const DeviceGuard guard(device_.ordinal);
    check_stream(config.stream, device_.ordinal);
    stream_ = config.stream;
    if (config.workspace != nullptr)
        check_memory(config.workspace, "workspace");
    set_workspace(config.workspace, config.workspace_size);
    order_ = std::make_unique<Event>();
    prepare_dense(device_);
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

DenseContext CudaBackend::context() const {
    DenseContext result;
    result.limits.sm_count = sm_count_ != 0 ? static_cast<int32_t>(sm_count_) : device_.sm_count;
    result.limits.shared_memory_per_block = device_.shared_memory_per_block;
    result.wishes.math = math_;
    result.wishes.kernel = kernel_;
    result.stream = stream_;
    result.workspace = workspace_;
    result.workspace_size = workspace_size_;
    return result;
}

Layout CudaBackend::default_layout(bool sparse) const {
    return sparse ? Layout::Sparse24Draft : Layout::DenseDraft;
}

void CudaBackend::check_memory(const void *pointer, const char *name) const {
    const DeviceGuard guard(device_.ordinal);
    const PointerInfo found = query_pointer(pointer);
    if (!is_memory_of(found, device_.ordinal))
        fail(Status::InvalidArgument, "{} points to {}, expected memory of CUDA device {}", name, to_string(found),
             device_.ordinal);
}

WeightsView CudaBackend::pack(const PackRequest &request, bool host_input, std::span<std::byte> packed) {
    const DeviceGuard guard(device_.ordinal);
    PackRequest host = request;
    std::vector<std::byte> src;
    std::vector<std::byte> scales;
    std::vector<std::byte> zeros;
    std::vector<int32_t> g_idx;
    std::vector<float> importance;
    std::vector<float> column_scales;
    if (!host_input) {
        host.src = to_host(request.src, src, stream_);
        host.scales = to_host(request.scales, scales, stream_);
        host.zeros = to_host(request.zeros, zeros, stream_);
        host.g_idx = to_host(request.g_idx, g_idx, stream_);
        host.importance = to_host(request.importance, importance, stream_);
        host.column_scales = to_host(request.column_scales, column_scales, stream_);
    }
    HostPacked staging(packed.size());
    Serial serial;
    const WeightsView view = pack_host(host, staging.bytes(), serial);
    const auto used = static_cast<size_t>(kHeaderSize + view.geometry.body_size);
    copy_to_device(packed.data(), staging.bytes().data(), used, stream_);
    synchronize(stream_);
    return moved(view, packed.data() + kHeaderSize);
}

void CudaBackend::unpack(const WeightsView &weights, const UnpackRequest &request) {
    const DeviceGuard guard(device_.ordinal);
    HostPacked staging(static_cast<size_t>(weights.geometry.body_size));
    copy_to_host(staging.bytes().data(), weights.body, staging.bytes().size(), stream_);
    UnpackRequest host = request;
    std::vector<std::byte> dst;
    std::vector<std::byte> scales;
    std::vector<std::byte> zeros;
    host.dst = shadow(request.dst, dst, stream_);
    host.scales = shadow(request.scales, scales, stream_);
    host.zeros = shadow(request.zeros, zeros, stream_);
    Serial serial;
    unpack_host(moved(weights, staging.bytes().data()), host, serial);
    copy_to_device(request.dst.data(), dst.data(), dst.size(), stream_);
    copy_to_device(request.scales.data(), scales.data(), scales.size(), stream_);
    copy_to_device(request.zeros.data(), zeros.data(), zeros.size(), stream_);
    synchronize(stream_);
}

WeightsView CudaBackend::attach(std::span<const std::byte> packed) {
    const DeviceGuard guard(device_.ordinal);
    // The header first: the buffer may be longer than what it holds.
    size_t size = packed.size();
    if (size >= kHeaderSize) {
        PackedHeader header;
        copy_to_host(&header, packed.data(), sizeof header, stream_);
        const WeightsView view = read_header(header, static_cast<int64_t>(size), packed.data() + kHeaderSize);
        size = static_cast<size_t>(kHeaderSize + view.geometry.body_size);
    }
    HostPacked staging(size);
    copy_to_host(staging.bytes().data(), packed.data(), size, stream_);
    return moved(attach_host(staging.bytes()), packed.data() + kHeaderSize);
}

KernelPlan CudaBackend::plan(const Problem &problem, const WeightsView &weights) const {
    if (problem.sparse)
        fail(Status::NotSupported, "this version has no CUDA kernels for 2:4 weights; a CPU handle multiplies them");
    if (weights.shape().layout != Layout::DenseDraft)
        fail(Status::NotSupported, "b has layout {:#x} ({}), expected {:#x} ({}) for CUDA kernels",
             static_cast<int32_t>(weights.shape().layout), to_string(weights.shape().layout),
             static_cast<int32_t>(Layout::DenseDraft), to_string(Layout::DenseDraft));
    return plan_dense(problem, weights, context());
}

void CudaBackend::gemm(const Problem &problem, const GemmOperands &operands, const WeightsView &weights) {
    if (problem.sparse || weights.shape().layout != Layout::DenseDraft)
        static_cast<void>(plan(problem, weights));
    const DeviceGuard guard(device_.ordinal);
    run_dense(problem, operands, weights, context());
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
