// The kernel that finds the order of act-order rows.
#include "cuda/pack/order_rows.h"

#include "cuda/pack/grid.cuh"
#include "cuda/pack/launch.h"

namespace marlin::cuda {
namespace {

constexpr int kThreads = 256;

// A CTA for each group.
__global__ void __launch_bounds__(kThreads) order_rows(const __grid_constant__ OrderTask task) {
    using Threads = Block<kThreads>;
    __shared__ OrderMemory<Threads> memory;
    for (int64_t group = blockIdx.x; group < task.k / task.group_size; group += gridDim.x) {
        order_group(Threads(), task, group, memory);
        __syncthreads();
    }
}

} // namespace

cudaError_t launch_order_rows(const OrderTask &task, cudaStream_t stream) {
    order_rows<<<blocks_for(task.k / task.group_size), kThreads, 0, stream>>>(task);
    return cudaGetLastError();
}

} // namespace marlin::cuda
