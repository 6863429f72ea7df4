// Multiplies of a library built without CUDA: no handle gets this far.
#include "cuda/multiply.h"

#include "common/error.h"

namespace marlin::cuda {

void prepare_kernels(const DeviceInfo & /*device*/) {}

KernelPlan plan_multiply(const Problem & /*problem*/, const WeightsView & /*weights*/,
                         const MultiplyContext & /*context*/) {
    fail(Status::NotSupported, "this library was built without CUDA (MARLIN_CUDA=OFF)");
}

void run_multiply(const Problem &problem, const GemmOperands & /*operands*/, const WeightsView &weights,
                  const MultiplyContext &context) {
    static_cast<void>(plan_multiply(problem, weights, context));
}

} // namespace marlin::cuda
