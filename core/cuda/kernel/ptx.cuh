// The PTX instructions of the Ampere-class kernels: one wrapper, one sentence, one minimum architecture each.
// CCCL's cuda::ptx (13.0) has none of these.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstdint>

namespace marlin::cuda::ptx {

// A pointer into shared memory as the 32-bit address that the instructions below take.
__device__ __forceinline__ uint32_t shared_address(const void *pointer) {
    return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

// sm_80: copies 16 bytes from global to shared memory without registers, past the L1 cache; the last 16 - valid bytes
// become zeros and are not read.
__device__ __forceinline__ void copy_async_16(uint32_t to, const void *from, int valid = 16) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(valid) : "memory");
}

// sm_80: how the L2 is to take weights: those that a launch reads once it gives up first.
__device__ __forceinline__ uint64_t policy_of_weights(bool once) {
    uint64_t first, normal;
    asm("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(first));
    asm("createpolicy.fractional.L2::evict_normal.b64 %0, 1.0;" : "=l"(normal));
    return once ? first : normal;
}

// sm_80: the same for all 16 bytes, and only where `wanted`: a predicate, no branch. A size that is no constant costs
// eight instructions more.
__device__ __forceinline__ void copy_async_16_if(bool wanted, uint32_t to, const void *from) {
    asm volatile("{\n.reg .pred wanted;\nsetp.ne.b32 wanted, %0, 0;\n"
                 "@wanted cp.async.cg.shared.global [%1], [%2], 16;\n}" ::"r"(static_cast<int>(wanted)),
                 "r"(to), "l"(from)
                 : "memory");
}

// The same with a policy.
__device__ __forceinline__ void copy_async_16_if(bool wanted, uint32_t to, const void *from, uint64_t policy) {
    asm volatile(
        "{\n.reg .pred wanted;\nsetp.ne.b32 wanted, %0, 0;\n"
        "@wanted cp.async.cg.shared.global.L2::cache_hint [%1], [%2], 16, %3;\n}" ::"r"(static_cast<int>(wanted)),
        "r"(to), "l"(from), "l"(policy)
        : "memory");
}

// 16 bits of memory, or 32 where `wide`, or nothing but zero where not `wanted`: predicates, no branch.
__device__ __forceinline__ uint32_t load_bits(const void *from, bool wide, bool wanted) {
    uint32_t bits;
    asm volatile("{\n.reg .pred wide, narrow;\nmov.b32 %0, 0;\nsetp.ne.b32 wide, %2, 0;\n"
                 "setp.ne.b32 narrow, %3, 0;\n@wide ld.global.b32 %0, [%1];\n@narrow ld.global.u16 %0, [%1];\n}"
                 : "=&r"(bits)
                 : "l"(from), "r"(static_cast<int>(wanted && wide)), "r"(static_cast<int>(wanted && !wide)));
    return bits;
}

// Brings the line of `from` to L2.
__device__ __forceinline__ void prefetch_l2(const void *from) {
    asm volatile("prefetch.global.L2 [%0];" ::"l"(from));
}

// sm_80: closes the group of this thread's copies issued so far.
__device__ __forceinline__ void commit_copies() {
    asm volatile("cp.async.commit_group;" ::: "memory");
}

// sm_80: waits until at most `pending` of this thread's groups are still under way.
template <int pending>
__device__ __forceinline__ void wait_copies() {
    asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
}

// sm_75: four 8 x 8 matrices of 16-bit elements; lane l gives the address of row l % 8 of matrix l / 8 and receives, of
// each matrix, elements 2 (l % 4) and the next of row l / 4.
__device__ __forceinline__ void load_matrix_x4(uint32_t (&to)[4], uint32_t address) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(address)
                 : "memory");
}

// sm_75: an 8 x 8 matrix of 16-bit elements, elements 2 (l % 4) and the next of row l / 4 in lane l, transposed.
__device__ __forceinline__ uint32_t transpose(uint32_t matrix) {
    uint32_t result;
    asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(result) : "r"(matrix));
    return result;
}

// threadIdx.x as a value that the compiler keeps: it re-reads the special register, slowly, wherever registers are few.
__device__ __forceinline__ int kept_thread_index() {
    return __shfl_sync(0xffffffffu, static_cast<int>(threadIdx.x), static_cast<int>(threadIdx.x) % 32);
}

// sm_70: waits for `threads` threads of the CTA at barrier `number`; 0 is that of __syncthreads.
__device__ __forceinline__ void barrier(int number, int threads) {
    asm volatile("bar.sync %0, %1;" ::"r"(number), "r"(threads) : "memory");
}

// sm_80: D[16, 8] += A[16, 16] * B[16, 8], FP32 accumulators, A by rows, B by columns.
__device__ __forceinline__ void mma_16x8x16(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, __half) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
__device__ __forceinline__ void mma_16x8x16(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1,
                                            __nv_bfloat16) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
                 "{%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// sm_80: D[16, 8] = A[16, 32] * B[32, 8] + C, FP32 accumulators, A 2:4 sparse along k by rows, B by columns. Lanes
// 2 selector and 2 selector + 1 of every four give the metadata, positions in ascending order.
template <int selector>
__device__ __forceinline__ void mma_sp_16x8x32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[4],
                                               const float (&c)[4], uint32_t metadata, __half) {
    asm volatile("mma.sp::ordered_metadata.sync.aligned.m16n8k32.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, "
                 "{%4, %5, %6, %7}, {%8, %9, %10, %11}, {%12, %13, %14, %15}, %16, %17;"
                 : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "r"(b[2]), "r"(b[3]), "f"(c[0]),
                   "f"(c[1]), "f"(c[2]), "f"(c[3]), "r"(metadata), "n"(selector));
}
template <int selector>
__device__ __forceinline__ void mma_sp_16x8x32(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[4],
                                               const float (&c)[4], uint32_t metadata, __nv_bfloat16) {
    asm volatile("mma.sp::ordered_metadata.sync.aligned.m16n8k32.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, "
                 "{%4, %5, %6, %7}, {%8, %9, %10, %11}, {%12, %13, %14, %15}, %16, %17;"
                 : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "r"(b[2]), "r"(b[3]), "f"(c[0]),
                   "f"(c[1]), "f"(c[2]), "f"(c[3]), "r"(metadata), "n"(selector));
}

// sm_90, nothing before: lets the next kernel of the stream begin, where its launch allows that, as soon as all CTAs of
// this one have come here.
__device__ __forceinline__ void launch_dependents() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

// sm_90, nothing before: waits until the kernel before this one, where this one may have begun early, has ended and
// what it wrote is visible.
__device__ __forceinline__ void wait_for_previous_kernel() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

// Keeps values in registers: the compiler knows no longer where they came from.
template <typename... Values>
__device__ __forceinline__ void keep(Values &...values) {
    (..., [](auto &value) { asm volatile("" : "+r"(value)); }(values));
}

// The same place in shared memory, its address kept in a register.
template <typename T>
__device__ __forceinline__ T *keep_shared(T *pointer) {
    uint32_t address = shared_address(pointer);
    keep(address);
    return static_cast<T *>(__cvta_shared_to_generic(address));
}

// sm_50: (a & b) | c in one instruction.
__device__ __forceinline__ uint32_t and_or(uint32_t a, uint32_t b, uint32_t c) {
    uint32_t result;
    asm("lop3.b32 %0, %1, %2, %3, 0xea;" : "=r"(result) : "r"(a), "r"(b), "r"(c));
    return result;
}

} // namespace marlin::cuda::ptx
