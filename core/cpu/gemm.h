// One multiply from operands to C: A re-packed in waves that fit the workspace, then items of work over the pool.
#pragma once

#include <cstddef>
#include <span>

#include "cpu/heuristics.h"
#include "cpu/pool.h"

namespace marlin::cpu {

// choice.kernel is not null, and workspace (64-byte aligned) has room for choice.workspace_size. Never allocates.
void run_gemm(const Choice &choice, const Problem &problem, const GemmOperands &operands, const WeightsView &weights,
              std::span<std::byte> workspace, WorkerPool &pool);

} // namespace marlin::cpu
