// Which kernel multiplies a problem on the CPU: a pure function of problem, packed shape, options and machine.
#pragma once

#include <cstdint>

#include "backend.h"
#include "cpu/isa.h"
#include "cpu/kernel.h"

namespace marlin::cpu {

inline constexpr const char *kReferenceName = "cpu_reference";
inline constexpr int32_t kReferenceNumber = 1;

// The workspace that a handle has of its own.
inline constexpr int64_t kDefaultWorkspace = int64_t{64} << 20;

struct CpuConfig {
    Isa isa = Isa::Reference; // what the machine has, or the lower one that was asked for
    int32_t threads = 1;
    int32_t kernel = 0; // forced by number, 0: choose
};

// Why the reference kernel runs.
enum class Fallback : int32_t { None, Asked, Isa, Layout, RowTooLong };

struct Choice {
    const Kernel *kernel = nullptr; // nullptr: the reference
    Fallback fallback = Fallback::None;
    RowShape rows;              // how this kernel re-packs A
    int64_t block_k = 0;        // rows of W that are summed before they are scaled
    int64_t row_size = 0;       // bytes of workspace a row of A
    int64_t sums_row_size = 0;  // part of it: the sums of A
    int64_t workspace_size = 0; // what a call needs; with more, large m goes in fewer waves
};

// Never allocates. Fails where a kernel is forced that cannot run.
Choice choose(const Problem &problem, const Geometry &geometry, const CpuConfig &config);

// The same in the words of the backend interface.
KernelPlan describe(const Choice &choice, const Problem &problem, const Geometry &geometry, const CpuConfig &config);

} // namespace marlin::cpu
