// The multiply as one reads it in a book: every layout, no workspace, slow.
#pragma once

#include "backend.h"
#include "cpu/pool.h"

namespace marlin::cpu {

void reference_gemm(const Problem &problem, const GemmOperands &operands, const WeightsView &weights, WorkerPool &pool);

} // namespace marlin::cpu
