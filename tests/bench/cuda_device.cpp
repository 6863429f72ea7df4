// Asking CUDA and NVML about a GPU.
#include "cuda_device.h"

#include <algorithm>
#include <dlfcn.h>

#include "cuda_memory.h"

namespace marlin::bench {
namespace {

// Of NVML's interface (nvml.h of CUDA 13): 0 is success; clock types are graphics 0, SM 1, memory 2.
constexpr int kClockSm = 1;
constexpr int kClockMemory = 2;

template <typename... Arguments>
bool call(void *library, const char *name, Arguments... arguments) {
    const auto function = reinterpret_cast<int (*)(Arguments...)>(dlsym(library, name));
    return function != nullptr && function(arguments...) == 0;
}

int clock_of(void *library, void *device, const char *question, int type) {
    unsigned mhz = 0;
    return call(library, question, device, type, &mhz) ? static_cast<int>(mhz) : 0;
}

} // namespace

GpuDevice::GpuDevice(int ordinal) : ordinal_(ordinal) {
    check(cudaSetDevice(ordinal), "cudaSetDevice");
    cudaDeviceProp properties = {};
    check(cudaGetDeviceProperties(&properties, ordinal), "cudaGetDeviceProperties");
    name_ = properties.name;
    compute_capability_ = 10 * properties.major + properties.minor;
    sm_count_ = properties.multiProcessorCount;
    l2_bytes_ = properties.l2CacheSize;
    open_nvml();
}

GpuDevice::~GpuDevice() {
    if (nvml_ == nullptr)
        return;
    call(nvml_, "nvmlShutdown");
    dlclose(nvml_);
}

void GpuDevice::open_nvml() {
    char bus[32] = "";
    check(cudaDeviceGetPCIBusId(bus, sizeof bus, ordinal_), "cudaDeviceGetPCIBusId");
    nvml_ = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
    if (nvml_ == nullptr || !call(nvml_, "nvmlInit_v2"))
        return;
    char driver[80] = "";
    if (call(nvml_, "nvmlSystemGetDriverVersion", &driver[0], unsigned{sizeof driver}))
        driver_ = driver;
    void *device = nullptr; // NVML's handle of this GPU
    if (!call(nvml_, "nvmlDeviceGetHandleByPciBusId_v2", &bus[0], &device))
        return;
    max_sm_mhz_ = clock_of(nvml_, device, "nvmlDeviceGetMaxClockInfo", kClockSm);
    max_memory_mhz_ = clock_of(nvml_, device, "nvmlDeviceGetMaxClockInfo", kClockMemory);
    unsigned milliwatts = 0;
    if (call(nvml_, "nvmlDeviceGetEnforcedPowerLimit", device, &milliwatts))
        power_limit_w_ = static_cast<int>(milliwatts / 1000);
}

int64_t GpuDevice::copies_to_rotate(int64_t size) const {
    return std::max<int64_t>(2, 3 * l2_bytes_ / size + 1);
}

} // namespace marlin::bench
