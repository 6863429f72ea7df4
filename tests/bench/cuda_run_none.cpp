// Stands in for cuda_run.cpp where CUDA is left out of the build.
#include "common/error.h"
#include "cuda_run.h"

namespace marlin::bench {

bool cuda_is_here() {
    return false;
}

Output run_on_cuda(const Options &) {
    fail(Status::NotSupported, "device is cuda, expected cpu: this marlin_bench was built without CUDA");
}

} // namespace marlin::bench
