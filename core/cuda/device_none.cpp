// Device query of a library built without CUDA: there is none, and the reason says why.
#include "cuda/device.h"

#include "common/error.h"

namespace marlin::cuda {
namespace {

constexpr const char *reason = "this library was built without CUDA (MARLIN_CUDA=OFF)";

} // namespace

Survey survey() {
    Survey result;
    result.reason = reason;
    return result;
}

DeviceInfo query_device(int32_t) {
    fail(Status::NotSupported, "CUDA is not available: {}", reason);
}

Probe probe_device(int32_t) {
    fail(Status::NotSupported, "CUDA is not available: {}", reason);
}

DeviceInfo open_device(int32_t) {
    fail(Status::NotSupported, "CUDA is not available: {}", reason);
}

} // namespace marlin::cuda
