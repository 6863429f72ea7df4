/* Packs a random matrix to 4 bits a weight, multiplies by it on the CPU, and checks the product in double precision. */
#include <float.h>
#include <marlin/marlin.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { M = 4, K = 512, N = 256 };
static float a[M * K], source[N * K], weights[N * K], c[M * N];

/* Every call returns a status; the library keeps a sentence that says what to change. */
static void check(marlin_handle_t handle, marlin_status status) {
    char text[256];
    if (status != MARLIN_SUCCESS) {
        marlin_last_error(handle, text, sizeof text);
        printf("%s: %s\n", marlin_status_name(status), text);
        exit(1);
    }
}

int main(void) {
    marlin_handle_desc cpu = {.struct_size = sizeof cpu, .device = MARLIN_DEVICE_CPU};
    marlin_handle_t handle = NULL;
    check(NULL, marlin_handle_create(&cpu, &handle));
    for (int i = 0; i < N * K; ++i)
        source[i] = a[i % (M * K)] = (float)rand() / (float)RAND_MAX - 0.5f;
    /* One row for each output feature, as in torch.nn.Linear; one FP16 scale for each 128 weights. */
    marlin_pack_desc pack = {.struct_size = sizeof pack, .src_type = MARLIN_TYPE_F32, .src_order = MARLIN_ORDER_NXK};
    pack.k = K;
    pack.n = N;
    pack.group_size = 128;
    marlin_pack_input input = {.struct_size = sizeof input, .src = source, .src_size = sizeof source};
    size_t size = 0;
    check(handle, marlin_pack_size(handle, &pack, &size));
    void *packed = aligned_alloc(256, (size + 255) / 256 * 256);
    marlin_weights b = {.struct_size = sizeof b};
    check(handle, marlin_pack(handle, &pack, &input, packed, size, &b));
    marlin_gemm_desc gemm = {.struct_size = sizeof gemm, .a_type = MARLIN_TYPE_F32, .m = M};
    check(handle, marlin_gemm(handle, &gemm, a, &b, c));
    /* Packing rounds the weights; the product with the rounded ones is exact up to FP32 accumulation. */
    marlin_unpack_desc unpack = {
        .struct_size = sizeof unpack, .dst_type = MARLIN_TYPE_F32, .dst_order = pack.src_order};
    unpack.dst = weights;
    unpack.dst_size = sizeof weights;
    check(handle, marlin_unpack(handle, &b, &unpack));
    double worst = 0.0; /* error as a part of its bound */
    for (int i = 0; i < M * N; ++i) {
        double exact = 0.0, bound = 0.0;
        for (int k = 0; k < K; ++k) {
            const double product = (double)a[i / N * K + k] * weights[i % N * K + k];
            exact += product;
            bound += K * FLT_EPSILON * fabs(product);
        }
        worst = fmax(worst, fabs(c[i] - exact) / bound);
    }
    printf("%d x %d weights in %zu bytes, error %.3f of the bound\n", K, N, size, worst);
    free(packed);
    marlin_handle_destroy(handle);
    return worst <= 1.0 ? 0 : 1;
}
