// Packing in device memory of a library built without CUDA: no handle gets this far.
#include "common/error.h"
#include "cuda/pack.h"

namespace marlin::cuda {

WeightsView pack_on_device(const PackRequest & /*request*/, bool /*host_input*/, std::span<std::byte> /*packed*/,
                           const WorkPlace & /*place*/) {
    fail(Status::NotSupported, "this library was built without CUDA (MARLIN_CUDA=OFF)");
}

} // namespace marlin::cuda
