// The GPU under measurement: name, driver, clocks.
#pragma once

#include <cstdint>
#include <string>

namespace marlin::bench {

// Clocks and driver come from NVML, opened at run time; where it is missing they stay 0 and empty.
class GpuDevice {
public:
    explicit GpuDevice(int ordinal); // makes it current
    ~GpuDevice();
    GpuDevice(const GpuDevice &) = delete;
    GpuDevice &operator=(const GpuDevice &) = delete;

    int ordinal() const { return ordinal_; }
    const std::string &name() const { return name_; }
    const std::string &driver() const { return driver_; }
    int compute_capability() const { return compute_capability_; }
    int sm_count() const { return sm_count_; }
    int64_t l2_bytes() const { return l2_bytes_; }

    int max_sm_mhz() const { return max_sm_mhz_; }
    int max_memory_mhz() const { return max_memory_mhz_; }
    int power_limit_w() const { return power_limit_w_; }

    // Copies of `size` bytes to rotate over: more than three times the L2 in all, and two at least, so that none is
    // read twice in a row.
    int64_t copies_to_rotate(int64_t size) const;

private:
    void open_nvml();

    int ordinal_ = 0;
    std::string name_;
    std::string driver_;
    int compute_capability_ = 0;
    int sm_count_ = 0;
    int64_t l2_bytes_ = 0;
    int max_sm_mhz_ = 0;
    int max_memory_mhz_ = 0;
    int power_limit_w_ = 0;
    void *nvml_ = nullptr; // the library
};

} // namespace marlin::bench
