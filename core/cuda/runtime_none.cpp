// Runtime services of a library built without CUDA: nothing can reach them, since no device can be opened.
#include "cuda/runtime.h"

#include "common/error.h"

namespace marlin::cuda {
namespace {

[[noreturn]] void no_cuda() {
    fail(Status::NotSupported, "CUDA is not available: this library was built without CUDA (MARLIN_CUDA=OFF)");
}

} // namespace

DeviceGuard::DeviceGuard(int32_t) {
    no_cuda();
}
DeviceGuard::~DeviceGuard() = default;

PointerInfo query_pointer(const void *) {
    no_cuda();
}
std::string to_string(const PointerInfo &) {
    return "host memory";
}
bool is_memory_of(const PointerInfo &, int32_t) {
    return false;
}

DeviceMemory::DeviceMemory(int32_t, std::size_t) {
    no_cuda();
}
DeviceMemory::~DeviceMemory() = default;

void copy_to_device(void *, const void *, std::size_t, Stream) {
    no_cuda();
}
void copy_to_host(void *, const void *, std::size_t, Stream) {
    no_cuda();
}
void copy_on_device(void *, const void *, std::size_t, Stream) {
    no_cuda();
}
void fill_bytes(void *, uint8_t, std::size_t, Stream) {
    no_cuda();
}

void synchronize(Stream) {
    no_cuda();
}
void check_stream(Stream, int32_t) {
    no_cuda();
}
bool is_capturing(Stream) {
    no_cuda();
}

Event::Event() {
    no_cuda();
}
Event::~Event() = default;
void Event::record(Stream) {
    no_cuda();
}
void Event::wait_in(Stream) const {
    no_cuda();
}
void Event::synchronize() const {
    no_cuda();
}

} // namespace marlin::cuda
