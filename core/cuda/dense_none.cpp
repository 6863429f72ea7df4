// Dense multiplies of a library built without CUDA: no handle gets this far.
#include "cuda/dense.h"

#include "common/error.h"

namespace marlin::cuda {

void prepare_dense(const DeviceInfo & /*device*/) {}

KernelPlan plan_dense(const Problem & /*problem*/, const WeightsView & /*weights*/, const DenseContext & /*context*/) {
    fail(Status::NotSupported, "this library was built without CUDA (MARLIN_CUDA=OFF)");
}

void run_dense(const Problem &problem, const GemmOperands & /*operands*/, const WeightsView &weights,
               const DenseContext &context) {
    static_cast<void>(plan_dense(problem, weights, context));
}

} // namespace marlin::cuda
