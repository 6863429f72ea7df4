// Device query and probe by the CUDA runtime.
#include "cuda/device.h"

#include <vector>

#include "cuda/check.h"
#include "cuda/probe.h"
#include "cuda/runtime.h"

namespace marlin::cuda {
namespace {

// CUDA's 13020 is version 13.2.
std::string version_text(int32_t version) {
    return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

int64_t attribute(cudaDeviceAttr name, int32_t ordinal) {
    int value = 0;
    check(cudaDeviceGetAttribute(&value, name, ordinal), "cudaDeviceGetAttribute");
    return value;
}

} // namespace

Survey survey() {
    Survey result;
    result.runtime_version = CUDART_VERSION;
    int driver = 0;
    if (cudaDriverGetVersion(&driver) != cudaSuccess)
        driver = 0;
    result.driver_version = driver;
    int count = 0;
    const cudaError_t error = cudaGetDeviceCount(&count);
    if (error != cudaSuccess)
        static_cast<void>(cudaGetLastError());

    const std::string needed = version_text(CUDART_VERSION / 1000 * 1000); // any minor version of the driver will do
    if (error == cudaSuccess && count > 0) {
        result.presence = Presence::Usable;
        result.device_count = count;
    } else if (driver == 0) {
        result.reason = fmt::format("no NVIDIA driver was found, expected one for CUDA {} or newer", needed);
    } else if (error == cudaErrorInsufficientDriver || driver / 1000 < CUDART_VERSION / 1000) {
        result.presence = Presence::Unusable;
        result.reason = fmt::format("the NVIDIA driver is for CUDA {}, expected {} or newer (this library has the "
                                    "runtime of CUDA {})",
                                    version_text(driver), needed, version_text(CUDART_VERSION));
    } else if (error == cudaSuccess || error == cudaErrorNoDevice) {
        result.reason = "the NVIDIA driver sees no device";
    } else {
        result.presence = Presence::Unusable;
        result.reason = fmt::format("the NVIDIA driver (CUDA {}) failed: {} ({})", version_text(driver),
                                    cudaGetErrorString(error), cudaGetErrorName(error));
    }
    return result;
}

DeviceInfo query_device(int32_t ordinal) {
    int count = 0;
    check(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
    if (ordinal < 0 || ordinal >= count)
        fail(Status::InvalidArgument, "device_id is {}, expected 0 to {} (CUDA devices on this machine: {})", ordinal,
             count - 1, count);
    cudaDeviceProp properties;
    check(cudaGetDeviceProperties(&properties, ordinal), "cudaGetDeviceProperties");

    DeviceInfo info;
    info.ordinal = ordinal;
    info.name = properties.name;
    info.compute_capability = properties.major * 10 + properties.minor;
    info.sm_count = properties.multiProcessorCount;
    info.l2_size = properties.l2CacheSize;
    info.shared_memory_per_block = attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin, ordinal);
    info.shared_memory_per_sm = attribute(cudaDevAttrMaxSharedMemoryPerMultiprocessor, ordinal);
    info.memory_size = static_cast<int64_t>(properties.totalGlobalMem);
    check(cudaDriverGetVersion(&info.driver_version), "cudaDriverGetVersion");
    check(cudaRuntimeGetVersion(&info.runtime_version), "cudaRuntimeGetVersion");
    return info;
}

Probe probe_device(int32_t ordinal) {
    constexpr uint32_t seed = 0x6d61726cu;
    constexpr std::size_t words = kProbeWords + 2;
    const DeviceGuard guard(ordinal);
    const DeviceMemory memory(ordinal, words * sizeof(uint32_t));
    const Stream stream = nullptr;
    fill_bytes(memory.data(), 0xff, memory.size(), stream);
    check(launch_probe(static_cast<uint32_t *>(memory.data()), seed, nullptr), "launching the probe kernel");
    std::vector<uint32_t> result(words);
    copy_to_host(result.data(), memory.data(), memory.size(), stream);
    for (uint32_t i = 0; i < kProbeWords; ++i) {
        if (result[i] != probe_word(seed, i))
            fail(Status::DeviceError, "the probe kernel on CUDA device {} wrote {:#x} at {}, expected {:#x}", ordinal,
                 result[i], i, probe_word(seed, i));
    }
    return Probe{static_cast<int32_t>(result[kProbeWords]), result[kProbeWords + 1] == 1};
}

DeviceInfo open_device(int32_t ordinal) {
    const Survey machine = survey();
    if (machine.presence != Presence::Usable)
        fail(Status::NotSupported, "CUDA is not available: {}", machine.reason);
    DeviceInfo info = query_device(ordinal);
    if (info.compute_capability < kMinComputeCapability)
        fail(Status::NotSupported, "CUDA device {} ({}) has compute capability {}.{}, expected 8.0 or newer", ordinal,
             info.name, info.compute_capability / 10, info.compute_capability % 10);
    probe_device(ordinal);
    return info;
}

} // namespace marlin::cuda
