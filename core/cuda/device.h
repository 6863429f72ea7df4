// NVIDIA devices as driver and runtime report them; plain C++, the same interface where the library has no CUDA.
#pragma once

#include <cstdint>
#include <string>

namespace marlin::cuda {

enum class Presence : int32_t {
    Absent,   // no driver or no device on this machine, or a library built without CUDA: the CPU serves
    Unusable, // there is a driver, but it is too old or it fails: the user must act
    Usable,
};

// What the machine offers. Asking never throws for want of a driver or device.
struct Survey {
    Presence presence = Presence::Absent;
    int32_t device_count = 0;    // 0 unless Usable
    int32_t driver_version = 0;  // as CUDA counts: 13000 is CUDA 13.0; 0 without a driver
    int32_t runtime_version = 0; // of the CUDA runtime inside this library; 0 without CUDA
    std::string reason;          // one sentence unless Usable
};
Survey survey();

struct DeviceInfo {
    int32_t ordinal = 0;
    std::string name;
    int32_t compute_capability = 0; // 90 for 9.0
    int32_t sm_count = 0;
    int64_t l2_size = 0;                 // bytes, as the sizes below
    int64_t shared_memory_per_block = 0; // the most that a kernel can opt in to
    int64_t shared_memory_per_sm = 0;
    int64_t memory_size = 0;
    int32_t driver_version = 0;
    int32_t runtime_version = 0;
};

// Fails with DeviceError, or InvalidArgument where the machine has no such device.
DeviceInfo query_device(int32_t ordinal);

// The code that a device really executed: its architecture, and whether that was the `a` variant (sm_90a).
struct Probe {
    int32_t architecture = 0;
    bool architecture_specific = false;
};

// Runs a small kernel of this library on the device and checks what it wrote. Allocates, and waits for the device.
Probe probe_device(int32_t ordinal);

// What creating a handle needs: the device exists, is new enough, and runs this library's code.
// NotSupported (no driver, no device, too old), InvalidArgument (no such ordinal) or DeviceError otherwise.
DeviceInfo open_device(int32_t ordinal);

inline constexpr int32_t kMinComputeCapability = 80;

// A sentence where the library has no machine code for such a device, so that the driver compiles its PTX; else empty.
std::string code_note(const DeviceInfo &device);

} // namespace marlin::cuda
