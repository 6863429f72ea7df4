/* The loop. */
#define _POSIX_C_SOURCE 200809L
#include "direct.h"

#include <marlin/marlin.h>
#include <stdlib.h>
#include <time.h>

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int64_t timed(marlin_handle_t handle, const marlin_gemm_desc *desc, const float *a, const marlin_weights *b,
                     float *c, int64_t calls) {
    const int64_t start = now();
    for (int64_t i = 0; i < calls; ++i)
        if (marlin_gemm(handle, desc, a, b, c) != MARLIN_SUCCESS)
            return -1;
    return now() - start;
}

int64_t go_marlin_direct(int64_t m, int64_t k, int64_t n, int64_t calls) {
    const marlin_handle_desc cpu = {.struct_size = sizeof cpu, .device = MARLIN_DEVICE_CPU, .num_threads = 1};
    const marlin_pack_desc pack = {
        .struct_size = sizeof pack, .src_type = MARLIN_TYPE_F32, .k = k, .n = n, .group_size = MARLIN_GROUP_PER_COLUMN};
    const marlin_gemm_desc gemm = {.struct_size = sizeof gemm, .a_type = MARLIN_TYPE_F32, .m = m};
    const size_t src_size = (size_t)(k * n) * sizeof(float);
    float *src = calloc(1, src_size);
    float *a = calloc((size_t)(m * k + 1), sizeof *a);
    float *c = calloc((size_t)(m * n + 1), sizeof *c);
    marlin_handle_t handle = NULL;
    size_t size = 0;
    void *packed = NULL;
    int64_t result = -1;
    if (src != NULL && a != NULL && c != NULL && marlin_handle_create(&cpu, &handle) == MARLIN_SUCCESS &&
        marlin_pack_size(handle, &pack, &size) == MARLIN_SUCCESS && posix_memalign(&packed, 256, size) == 0) {
        const marlin_pack_input input = {.struct_size = sizeof input, .src = src, .src_size = src_size};
        marlin_weights b = {.struct_size = sizeof b};
        if (marlin_pack(handle, &pack, &input, packed, size, &b) == MARLIN_SUCCESS)
            result = timed(handle, &gemm, a, &b, c, calls);
    }
    marlin_handle_destroy(handle);
    free(packed);
    free(c);
    free(a);
    free(src);
    return result;
}
