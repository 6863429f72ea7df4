// How a kernel begins that was launched while the one before it in the stream is still at work.
#pragma once

#include "cuda/kernel/args.h"
#include "cuda/kernel/ptx.cuh"

namespace marlin::cuda {

// Before anything is read but packed bytes, and anything written. The next kernel may begin beside this one in the same
// way.
__device__ __forceinline__ void begin_after_previous(const W4A16Args &args) {
    if (args.begin == Begin::InTurn)
        return;
    if (args.begin == Begin::BesideAny)
        ptx::launch_dependents();
    ptx::wait_for_previous_kernel();
}

} // namespace marlin::cuda
