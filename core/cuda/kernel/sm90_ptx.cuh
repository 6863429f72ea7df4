// The PTX instructions of Hopper's own kernels (sm_90a): barriers of asynchronous copies, bulk copies, wgmma. CCCL's
// cuda::ptx has the former; wgmma and register counts are ours.
#pragma once

#include <cuda.h>
#include <cuda/ptx>
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

#include "cuda/kernel/ptx.cuh"

namespace marlin::cuda::ptx {

// ---- Barriers in shared memory (mbarrier) ---------------------------------------------------------------------------

__device__ __forceinline__ void init_barrier(uint64_t *barrier, uint32_t arrivals) {
    ::cuda::ptx::mbarrier_init(barrier, arrivals);
}
// Makes initialised barriers visible to copies.
__device__ __forceinline__ void fence_barrier_init() {
    ::cuda::ptx::fence_mbarrier_init(::cuda::ptx::sem_release, ::cuda::ptx::scope_cluster);
}
// Waits until the phase of that parity is over.
__device__ __forceinline__ void wait_parity(uint64_t *barrier, uint32_t parity) {
    while (!::cuda::ptx::mbarrier_try_wait_parity(barrier, parity)) {
    }
}
__device__ __forceinline__ void arrive(uint64_t *barrier) {
    ::cuda::ptx::mbarrier_arrive(barrier);
}
// Arrives, and lets the phase last until so many bytes more have come.
__device__ __forceinline__ void arrive_and_expect(uint64_t *barrier, int bytes) {
    ::cuda::ptx::mbarrier_arrive_expect_tx(::cuda::ptx::sem_release, ::cuda::ptx::scope_cta, ::cuda::ptx::space_shared,
                                           barrier, static_cast<uint32_t>(bytes));
}

// As ptx::barrier(), where warps come from several places in the code: `bar.sync` is `barrier.sync.aligned`, which is
// for all threads at one (PTX ISA), and compute-sanitizer takes it so.
__device__ __forceinline__ void barrier_apart(int number, int threads) {
    asm volatile("barrier.cta.sync %0, %1;" ::"r"(number), "r"(threads) : "memory");
}

// True in one of a warp's threads, which the compiler knows to be one: copies in a branch on threadIdx are loops over
// the threads that may be there. CCCL (13.0) has no wrapper.
__device__ __forceinline__ bool elect() {
    uint32_t elected;
    asm volatile("{\n.reg .pred elected;\nelect.sync _|elected, 0xffffffff;\nselp.u32 %0, 1, 0, elected;\n}"
                 : "=r"(elected));
    return elected != 0;
}

// ---- Clusters ------------------------------------------------------------------------------------------------------

__device__ __forceinline__ uint32_t cluster_rank() {
    return ::cuda::ptx::get_sreg_cluster_ctarank();
}
// The same place in the shared memory of the CTA of that rank.
template <typename T>
__device__ __forceinline__ T *of_cluster(T *shared, uint32_t rank) {
    return static_cast<T *>(__cluster_map_shared_rank(shared, rank));
}
// The barrier of all threads of a cluster, in two steps; threads that have ended have arrived. It orders no memory: a
// release there would wait for all that the thread has written, which takes longer than the barrier.
__device__ __forceinline__ void cluster_arrive() {
    asm volatile("" ::: "memory");
    ::cuda::ptx::barrier_cluster_arrive(::cuda::ptx::sem_relaxed);
}
__device__ __forceinline__ void cluster_wait() {
    ::cuda::ptx::barrier_cluster_wait(::cuda::ptx::sem_acquire);
}
// The same barrier in one step. Initialised barriers are seen behind it, by fence_barrier_init().
__device__ __forceinline__ void cluster_barrier() {
    cluster_arrive();
    cluster_wait();
}
// Where that barrier of the CTA of that rank is, for arrive_if().
__device__ __forceinline__ uint32_t barrier_of_cluster(uint64_t *barrier, uint32_t rank) {
    uint32_t address;
    asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(address) : "r"(shared_address(barrier)), "r"(rank));
    return address;
}
// Arrives there where `arrives` holds: by a predicate, for a branch between products makes the compiler wait for each
// of them (its warning C7513). What the thread has read is in its registers by then and it has written nothing, so no
// release at the scope of the cluster is asked for: that is a MEMBAR.GPU, several hundred clocks in every stage.
__device__ __forceinline__ void arrive_if(bool arrives, uint32_t barrier) {
    asm volatile("{\n.reg .pred arrives;\nsetp.ne.b32 arrives, %0, 0;\n"
                 "@arrives mbarrier.arrive.shared::cluster.b64 _, [%1];\n}" ::"r"(static_cast<int>(arrives)),
                 "r"(barrier)
                 : "memory");
}
// Stores to another CTA's shared memory; a barrier of that CTA counts the bytes.
__device__ __forceinline__ void store_async(float4 *to, const float4 &x, uint64_t *barrier) {
    const float values[4] = {x.x, x.y, x.z, x.w};
    ::cuda::ptx::st_async(reinterpret_cast<float *>(to), values, barrier);
}

// x where `first`, else y. Written out, or the compiler chooses between places in an array, which it then keeps in
// memory.
__device__ __forceinline__ float select(bool first, float x, float y) {
    float chosen;
    asm("{\n.reg .pred first;\nsetp.ne.b32 first, %1, 0;\nselp.f32 %0, %2, %3, first;\n}"
        : "=f"(chosen)
        : "r"(static_cast<int>(first)), "f"(x), "f"(y));
    return chosen;
}
__device__ __forceinline__ float4 select(bool first, const float4 &x, const float4 &y) {
    return make_float4(select(first, x.x, y.x), select(first, x.y, y.y), select(first, x.z, y.z),
                       select(first, x.w, y.w));
}

// ---- Copies by the copy engine, their bytes counted by a barrier ---------------------------------------------------

// All sizes and addresses are multiples of 16. CCCL (13.0) has no policies.
__device__ __forceinline__ void copy_bulk(void *to, const void *from, int bytes, uint64_t *barrier, uint64_t policy) {
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint [%0], [%1], %2, "
                 "[%3], %4;" ::"r"(shared_address(to)),
                 "l"(from), "r"(bytes), "r"(shared_address(barrier)), "l"(policy)
                 : "memory");
}
// The box of the map at element x of row y.
__device__ __forceinline__ void copy_box(void *to, const CUtensorMap &map, int x, int y, uint64_t *barrier) {
    const int32_t at[2] = {x, y};
    ::cuda::ptx::cp_async_bulk_tensor(::cuda::ptx::space_cluster, ::cuda::ptx::space_global, to, &map, at, barrier);
}
// The same to that place in each CTA of a cluster of `ctas`, whose barriers at that place count the bytes.
template <int ctas>
__device__ __forceinline__ void copy_box_to_all(void *to, const CUtensorMap &map, int x, int y, uint64_t *barrier) {
    const int32_t at[2] = {x, y};
    constexpr uint16_t all = (1u << ctas) - 1;
    ::cuda::ptx::cp_async_bulk_tensor(::cuda::ptx::space_cluster, ::cuda::ptx::space_global, to, &map, at, barrier,
                                      all);
}
__device__ __forceinline__ void prefetch_map(const CUtensorMap &map) {
    asm volatile("prefetch.tensormap [%0];" ::"l"(&map) : "memory");
}

// ---- Registers -----------------------------------------------------------------------------------------------------

// Registers a thread of this warpgroup may use from here on; the whole warpgroup at once.
template <int registers>
__device__ __forceinline__ void fewer_registers() {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(registers));
}
template <int registers>
__device__ __forceinline__ void more_registers() {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(registers));
}

// The same pointer into shared memory, by a shuffle that leaves it where it is: the assembler too no longer knows where
// it came from, and does not work it out again wherever it is used.
template <typename T>
__device__ __forceinline__ T *held_shared(T *pointer) {
    const uint32_t address = __shfl_sync(0xffffffffu, shared_address(pointer), static_cast<int>(threadIdx.x) % 32);
    return static_cast<T *>(__cvta_shared_to_generic(address));
}
// The same for a value that all lanes have. The assembler must not see that they do, or it is held in a uniform
// register and copied from there.
__device__ __forceinline__ uint32_t held_by_all(uint32_t x) {
    const uint32_t lane = threadIdx.x % 32;
    return __shfl_sync(0xffffffffu, x + lane, static_cast<int>(lane)) - lane;
}

// ---- wgmma: A (64 features) from registers, B (tokens) from shared memory ------------------------------------------

// What was written to registers and shared memory before is ready for the wgmma that follow.
__device__ __forceinline__ void wgmma_fence() {
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
__device__ __forceinline__ void wgmma_commit() {
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
// Waits until at most `pending` of this warpgroup's groups are under way.
template <int pending>
__device__ __forceinline__ void wgmma_wait() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(pending) : "memory");
}
// What the wgmma of this register wrote is read only behind this point: the compiler does not see when they end.
__device__ __forceinline__ void settle(float &x) {
    asm volatile("" : "+f"(x)::"memory");
}

// 64 columns of k of some tokens: rows of 128 bytes in the 128-byte swizzle, eight rows every 1024 bytes (PTX ISA,
// "Asynchronous warpgroup level matrix shared memory layout"). 16 columns further is 2 more. `start` is their address
// over 16. By all lanes: the compiler does not see that they have the same one, and a shuffle tells it.
__device__ __forceinline__ uint64_t wgmma_operand(uint32_t start) {
    constexpr uint64_t swizzle_128 = uint64_t{1} << 62, eight_rows = uint64_t{1024 / 16} << 32;
    return swizzle_128 | eight_rows | __shfl_sync(0xffffffffu, start, 0);
}

// D[64, tokens] = A[64, 16] * B[16, tokens] (+ D where add != 0) for a warpgroup; d holds, for every eight tokens,
// what an m16n8k16 of each of its warps would.
#define MARLIN_D4(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define MARLIN_D8(i) MARLIN_D4(i), MARLIN_D4(i + 4)
#define MARLIN_D16(i) MARLIN_D8(i), MARLIN_D8(i + 8)
#define MARLIN_D24(i) MARLIN_D16(i), MARLIN_D8(i + 16)
#define MARLIN_D32(i) MARLIN_D16(i), MARLIN_D16(i + 16)
#define MARLIN_D40(i) MARLIN_D32(i), MARLIN_D8(i + 32)
#define MARLIN_D48(i) MARLIN_D32(i), MARLIN_D16(i + 32)
#define MARLIN_D56(i) MARLIN_D48(i), MARLIN_D8(i + 48)
#define MARLIN_D64(i) MARLIN_D32(i), MARLIN_D32(i + 32)
#define MARLIN_D80(i) MARLIN_D64(i), MARLIN_D16(i + 64)
#define MARLIN_D96(i) MARLIN_D64(i), MARLIN_D32(i + 64)
#define MARLIN_D112(i) MARLIN_D64(i), MARLIN_D48(i + 64)
#define MARLIN_D128(i) MARLIN_D64(i), MARLIN_D64(i + 64)
#define MARLIN_N4 "%0, %1, %2, %3"
#define MARLIN_N8 MARLIN_N4 ", %4, %5, %6, %7"
#define MARLIN_N16 MARLIN_N8 ", %8, %9, %10, %11, %12, %13, %14, %15"
#define MARLIN_N24 MARLIN_N16 ", %16, %17, %18, %19, %20, %21, %22, %23"
#define MARLIN_N32 MARLIN_N24 ", %24, %25, %26, %27, %28, %29, %30, %31"
#define MARLIN_N40 MARLIN_N32 ", %32, %33, %34, %35, %36, %37, %38, %39"
#define MARLIN_N48 MARLIN_N40 ", %40, %41, %42, %43, %44, %45, %46, %47"
#define MARLIN_N56 MARLIN_N48 ", %48, %49, %50, %51, %52, %53, %54, %55"
#define MARLIN_N64 MARLIN_N56 ", %56, %57, %58, %59, %60, %61, %62, %63"
#define MARLIN_N80 MARLIN_N64 ", %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79"
#define MARLIN_N96 MARLIN_N80 ", %80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95"
#define MARLIN_N112                                                                                                    \
    MARLIN_N96 ", %96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111"
#define MARLIN_N128                                                                                                    \
    MARLIN_N112 ", %112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"
#define MARLIN_WGMMA(count, tokens, a0, a1, a2, a3, b, add, type, ctype)                                               \
    __device__ __forceinline__ void wgmma(float(&d)[count], const uint32_t(&w)[4], uint64_t operand, int adds,         \
                                          ctype) {                                                                     \
        asm volatile("{\n.reg .pred adds;\nsetp.ne.b32 adds, %" #add ", 0;\n"                                          \
                     "wgmma.mma_async.sync.aligned.m64n" #tokens "k16.f32." type "." type " {" MARLIN_N##count         \
                     "}, {%" #a0 ", %" #a1 ", %" #a2 ", %" #a3 "}, %" #b ", adds, 1, 1, 0;\n}"                         \
                     : MARLIN_D##count(0)                                                                              \
                     : "r"(w[0]), "r"(w[1]), "r"(w[2]), "r"(w[3]), "l"(operand), "r"(adds));                           \
    }
MARLIN_WGMMA(4, 8, 4, 5, 6, 7, 8, 9, "f16", __half)
MARLIN_WGMMA(8, 16, 8, 9, 10, 11, 12, 13, "f16", __half)
MARLIN_WGMMA(16, 32, 16, 17, 18, 19, 20, 21, "f16", __half)
MARLIN_WGMMA(24, 48, 24, 25, 26, 27, 28, 29, "f16", __half)
MARLIN_WGMMA(32, 64, 32, 33, 34, 35, 36, 37, "f16", __half)
MARLIN_WGMMA(40, 80, 40, 41, 42, 43, 44, 45, "f16", __half)
MARLIN_WGMMA(48, 96, 48, 49, 50, 51, 52, 53, "f16", __half)
MARLIN_WGMMA(56, 112, 56, 57, 58, 59, 60, 61, "f16", __half)
MARLIN_WGMMA(64, 128, 64, 65, 66, 67, 68, 69, "f16", __half)
MARLIN_WGMMA(80, 160, 80, 81, 82, 83, 84, 85, "f16", __half)
MARLIN_WGMMA(96, 192, 96, 97, 98, 99, 100, 101, "f16", __half)
MARLIN_WGMMA(112, 224, 112, 113, 114, 115, 116, 117, "f16", __half)
MARLIN_WGMMA(128, 256, 128, 129, 130, 131, 132, 133, "f16", __half)
MARLIN_WGMMA(4, 8, 4, 5, 6, 7, 8, 9, "bf16", __nv_bfloat16)
MARLIN_WGMMA(8, 16, 8, 9, 10, 11, 12, 13, "bf16", __nv_bfloat16)
MARLIN_WGMMA(16, 32, 16, 17, 18, 19, 20, 21, "bf16", __nv_bfloat16)
MARLIN_WGMMA(24, 48, 24, 25, 26, 27, 28, 29, "bf16", __nv_bfloat16)
MARLIN_WGMMA(32, 64, 32, 33, 34, 35, 36, 37, "bf16", __nv_bfloat16)
MARLIN_WGMMA(40, 80, 40, 41, 42, 43, 44, 45, "bf16", __nv_bfloat16)
MARLIN_WGMMA(48, 96, 48, 49, 50, 51, 52, 53, "bf16", __nv_bfloat16)
MARLIN_WGMMA(56, 112, 56, 57, 58, 59, 60, 61, "bf16", __nv_bfloat16)
MARLIN_WGMMA(64, 128, 64, 65, 66, 67, 68, 69, "bf16", __nv_bfloat16)
MARLIN_WGMMA(80, 160, 80, 81, 82, 83, 84, 85, "bf16", __nv_bfloat16)
MARLIN_WGMMA(96, 192, 96, 97, 98, 99, 100, 101, "bf16", __nv_bfloat16)
MARLIN_WGMMA(112, 224, 112, 113, 114, 115, 116, 117, "bf16", __nv_bfloat16)
MARLIN_WGMMA(128, 256, 128, 129, 130, 131, 132, 133, "bf16", __nv_bfloat16)
#undef MARLIN_WGMMA
#undef MARLIN_D4
#undef MARLIN_N4
#undef MARLIN_D8
#undef MARLIN_N8
#undef MARLIN_D16
#undef MARLIN_N16
#undef MARLIN_D24
#undef MARLIN_N24
#undef MARLIN_D32
#undef MARLIN_N32
#undef MARLIN_D40
#undef MARLIN_N40
#undef MARLIN_D48
#undef MARLIN_N48
#undef MARLIN_D56
#undef MARLIN_N56
#undef MARLIN_D64
#undef MARLIN_N64
#undef MARLIN_D80
#undef MARLIN_N80
#undef MARLIN_D96
#undef MARLIN_N96
#undef MARLIN_D112
#undef MARLIN_N112
#undef MARLIN_D128
#undef MARLIN_N128

} // namespace marlin::cuda::ptx
