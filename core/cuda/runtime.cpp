// Current device, memory, copies, streams and events by the CUDA runtime.
#include "cuda/runtime.h"

#include "cuda/check.h"

namespace marlin::cuda {
namespace {

cudaStream_t native(Stream stream) {
    return static_cast<cudaStream_t>(stream);
}

} // namespace

DeviceGuard::DeviceGuard(int32_t ordinal) {
    check(cudaGetDevice(&previous_), "cudaGetDevice");
    if (previous_ != ordinal) {
        check(cudaSetDevice(ordinal), "cudaSetDevice");
        changed_ = true;
    }
}

DeviceGuard::~DeviceGuard() {
    // A destructor has nobody to report to; the next checked call of the thread will say what is wrong.
    if (changed_)
        static_cast<void>(cudaSetDevice(previous_));
}

PointerInfo query_pointer(const void *pointer) {
    cudaPointerAttributes attributes;
    check(cudaPointerGetAttributes(&attributes, pointer), "cudaPointerGetAttributes");
    switch (attributes.type) {
    case cudaMemoryTypeDevice:
        return {MemoryKind::Device, attributes.device};
    case cudaMemoryTypeManaged:
        return {MemoryKind::Managed, attributes.device};
    case cudaMemoryTypeHost:
        return {MemoryKind::PinnedHost, -1};
    default:
        return {MemoryKind::Host, -1};
    }
}

std::string to_string(const PointerInfo &info) {
    switch (info.kind) {
    case MemoryKind::Device:
        return fmt::format("memory of CUDA device {}", info.ordinal);
    case MemoryKind::Managed:
        return "managed memory";
    case MemoryKind::PinnedHost:
        return "pinned host memory";
    default:
        return "host memory";
    }
}

bool is_memory_of(const PointerInfo &info, int32_t ordinal) {
    return info.kind == MemoryKind::Managed || (info.kind == MemoryKind::Device && info.ordinal == ordinal);
}

DeviceMemory::DeviceMemory(int32_t ordinal, std::size_t size) : size_(size), ordinal_(ordinal) {
    if (size == 0)
        return;
    const DeviceGuard guard(ordinal);
    const cudaError_t error = cudaMalloc(&data_, size);
    if (error == cudaErrorMemoryAllocation) {
        static_cast<void>(cudaGetLastError());
        std::size_t free = 0;
        std::size_t total = 0;
        check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
        fail(Status::OutOfMemory, "CUDA device {} has no {} bytes left: {} of {} bytes are free", ordinal, size, free,
             total);
    }
    check(error, "cudaMalloc");
}

DeviceMemory::~DeviceMemory() {
    if (data_ == nullptr)
        return;
    // cudaFree waits for the device; after the driver has shut down it fails harmlessly.
    int previous = 0;
    const bool restore = cudaGetDevice(&previous) == cudaSuccess && previous != ordinal_;
    if (restore)
        static_cast<void>(cudaSetDevice(ordinal_));
    static_cast<void>(cudaFree(data_));
    if (restore)
        static_cast<void>(cudaSetDevice(previous));
}

void copy_to_device(void *dst, const void *src, std::size_t size, Stream stream) {
    check(cudaMemcpyAsync(dst, src, size, cudaMemcpyHostToDevice, native(stream)), "cudaMemcpyAsync to the device");
}

void copy_to_host(void *dst, const void *src, std::size_t size, Stream stream) {
    check(cudaMemcpyAsync(dst, src, size, cudaMemcpyDeviceToHost, native(stream)), "cudaMemcpyAsync to the host");
    synchronize(stream);
}

void copy_on_device(void *dst, const void *src, std::size_t size, Stream stream) {
    check(cudaMemcpyAsync(dst, src, size, cudaMemcpyDeviceToDevice, native(stream)), "cudaMemcpyAsync on the device");
}

void fill_bytes(void *dst, uint8_t value, std::size_t size, Stream stream) {
    check(cudaMemsetAsync(dst, value, size, native(stream)), "cudaMemsetAsync");
}

void synchronize(Stream stream) {
    check(cudaStreamSynchronize(native(stream)), "cudaStreamSynchronize");
}

void check_stream(Stream stream, int32_t ordinal) {
    if (stream == nullptr)
        return;
    int device = 0;
    check(cudaStreamGetDevice(native(stream), &device), "cudaStreamGetDevice");
    if (device != ordinal)
        fail(Status::InvalidArgument, "stream belongs to CUDA device {}, expected device {} of the handle", device,
             ordinal);
}

bool is_capturing(Stream stream) {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    check(cudaStreamIsCapturing(native(stream), &status), "cudaStreamIsCapturing");
    return status != cudaStreamCaptureStatusNone;
}

Event::Event() {
    cudaEvent_t event = nullptr;
    check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreateWithFlags");
    event_ = event;
}

Event::~Event() {
    static_cast<void>(cudaEventDestroy(static_cast<cudaEvent_t>(event_)));
}

void Event::record(Stream stream) {
    check(cudaEventRecord(static_cast<cudaEvent_t>(event_), native(stream)), "cudaEventRecord");
}

void Event::wait_in(Stream stream) const {
    check(cudaStreamWaitEvent(native(stream), static_cast<cudaEvent_t>(event_), 0), "cudaStreamWaitEvent");
}

void Event::synchronize() const {
    check(cudaEventSynchronize(static_cast<cudaEvent_t>(event_)), "cudaEventSynchronize");
}

} // namespace marlin::cuda
