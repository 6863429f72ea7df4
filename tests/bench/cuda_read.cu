// Reading as fast as the memory gives: by plain loads, or by bulk copies that nobody looks at.
#include "cuda_read.h"

#include <algorithm>

namespace marlin::bench {
namespace {

constexpr int kMaxStages = 64;

__device__ uint4 load_once(const uint4 *from) {
    uint4 v;
    asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
                 : "l"(from));
    return v;
}

// Blocks of blockDim * unroll words of 16 bytes, dealt out to the thread blocks in turn.
template <int unroll>
__global__ void read_words(const uint4 *from, int64_t words, unsigned *sink) {
    unsigned folded = 0;
    const int64_t span = int64_t{blockDim.x} * unroll;
    for (int64_t start = blockIdx.x * span; start < words; start += gridDim.x * span) {
        uint4 v[unroll];
#pragma unroll
        for (int i = 0; i < unroll; ++i) {
            const int64_t at = start + int64_t{i} * blockDim.x + threadIdx.x;
            v[i] = at < words ? load_once(from + at) : uint4{};
        }
#pragma unroll
        for (int i = 0; i < unroll; ++i)
            folded ^= v[i].x ^ v[i].y ^ v[i].z ^ v[i].w;
    }
    if (folded == 0x9e3779b9u) // hardly ever, but the compiler cannot know
        *sink = folded;
}

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
__device__ uint32_t shared_address(const void *pointer) {
    return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

// Announces the bytes to the barrier and starts the copy.
__device__ void start_copy(uint32_t to, const char *from, uint32_t size, uint32_t barrier) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(size) : "memory");
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(to),
                 "l"(from), "r"(size), "r"(barrier)
                 : "memory");
}

__device__ void wait(uint32_t barrier, uint32_t phase) {
    asm volatile("{\n"
                 ".reg .pred done;\n"
                 "again:\n"
                 "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
                 "@!done bra again;\n"
                 "}" ::"r"(barrier),
                 "r"(phase)
                 : "memory");
}
#endif

// One thread a block keeps the ring full; a slot is filled again as soon as it has arrived.
__global__ void read_bulk(const char *from, int64_t size, int chunk, int stages) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
    extern __shared__ __align__(128) char ring[];
    __shared__ uint64_t barriers[kMaxStages];
    for (int stage = 0; stage < stages; ++stage)
        asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(shared_address(&barriers[stage])) : "memory");
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");

    const int64_t stride = int64_t{gridDim.x} * chunk;
    const auto start = [&](int64_t offset, int stage) {
        start_copy(shared_address(ring) + stage * chunk, from + offset,
                   static_cast<uint32_t>(min(int64_t{chunk}, size - offset)), shared_address(&barriers[stage]));
    };
    int64_t issued = int64_t{blockIdx.x} * chunk;
    int64_t read = issued;
    for (int stage = 0; stage < stages && issued < size; ++stage, issued += stride)
        start(issued, stage);
    int stage = 0;
    uint32_t phase = 0;
    for (; read < size; read += stride) {
        wait(shared_address(&barriers[stage]), phase);
        if (issued < size)
            start(issued, stage);
        issued += stride;
        if (++stage == stages) {
            stage = 0;
            phase ^= 1;
        }
    }
#endif
}

void launch_words(const ReadKernel &kernel, const void *bytes, int64_t words, int sm_count, unsigned *sink,
                  cudaStream_t stream) {
    const int64_t span = int64_t{kernel.threads} * kernel.unroll;
    const int64_t needed = (words + span - 1) / span;
    const int64_t resident = int64_t{kernel.per_sm} * sm_count;
    const auto blocks = static_cast<unsigned>(resident == 0 ? needed : std::min(needed, resident));
    const auto launch = [&](auto read) {
        read<<<blocks, kernel.threads, 0, stream>>>(static_cast<const uint4 *>(bytes), words, sink);
    };
    if (kernel.unroll == 2)
        launch(read_words<2>);
    else if (kernel.unroll == 4)
        launch(read_words<4>);
    else
        launch(read_words<8>);
}

} // namespace

// What led at some size on an H200, of a hundred variants tried.
std::vector<ReadKernel> read_kernels(int compute_capability) {
    std::vector<ReadKernel> kernels;
    const auto add_loads = [&](int unroll, int threads, int per_sm) {
        kernels.push_back({"loads", false, unroll, threads, per_sm, 0, 0});
    };
    add_loads(2, 128, 0);
    add_loads(2, 128, 32);
    add_loads(2, 256, 0);
    add_loads(2, 1024, 0);
    add_loads(4, 256, 0);
    add_loads(4, 256, 16);
    add_loads(8, 256, 8);
    if (compute_capability >= 90)
        for (const int per_sm : {1, 2, 4})
            kernels.push_back({"bulk", true, 0, 1, per_sm, 16384, (192 << 10) / per_sm});
    for (ReadKernel &kernel : kernels) {
        const int sizes[3] = {kernel.bulk ? kernel.chunk : kernel.unroll, kernel.threads, kernel.per_sm};
        for (const int size : sizes)
            kernel.name.append(" ").append(std::to_string(size));
    }
    return kernels;
}

cudaError_t launch_read(const ReadKernel &kernel, const void *bytes, int64_t size, int sm_count, unsigned *sink,
                        cudaStream_t stream) {
    if (!kernel.bulk) {
        launch_words(kernel, bytes, size / 16, sm_count, sink, stream);
    } else {
        const cudaError_t error =
            cudaFuncSetAttribute(read_bulk, cudaFuncAttributeMaxDynamicSharedMemorySize, kernel.ring);
        if (error != cudaSuccess)
            return error;
        const int stages = std::min(kernel.ring / kernel.chunk, kMaxStages);
        read_bulk<<<kernel.per_sm * sm_count, 1, stages * kernel.chunk, stream>>>(static_cast<const char *>(bytes),
                                                                                  size / 16 * 16, kernel.chunk, stages);
    }
    return cudaGetLastError();
}

} // namespace marlin::bench
