// What a device's compute capability means for the code of this library.
#include "cuda/device.h"

#include <fmt/format.h>

namespace marlin::cuda {

std::string code_note(const DeviceInfo &device) {
    // The machine code is for sm_80 and sm_90: it runs on every 8.x and 9.x.
    const int32_t major = device.compute_capability / 10;
    if (major == 8 || major == 9)
        return {};
    return fmt::format("CUDA device {} ({}) has compute capability {}.{}, for which this library has no machine code: "
                       "the driver compiles the kernels from PTX now, once, and keeps them (CUDA_CACHE_PATH)",
                       device.ordinal, device.name, major, device.compute_capability % 10);
}

} // namespace marlin::cuda
