// Reading packed bytes in device memory with a library built without CUDA: no handle gets this far.
#include "common/error.h"
#include "cuda/pack.h"

namespace marlin::cuda {
namespace {

[[noreturn]] void no_cuda() {
    fail(Status::NotSupported, "this library was built without CUDA (MARLIN_CUDA=OFF)");
}

} // namespace

WeightsView attach_on_device(std::span<const std::byte> /*packed*/, const WorkPlace & /*place*/) {
    no_cuda();
}

void unpack_on_device(const WeightsView & /*weights*/, const UnpackRequest & /*request*/, const WorkPlace & /*place*/) {
    no_cuda();
}

} // namespace marlin::cuda
