/* Descriptors for marlin.h, and the texts of failed calls. */
#include "native.h"

#include "_cgo_export.h"

static marlin_handle_t known(go_marlin_handle handle) {
    return (marlin_handle_t)handle;
}

/* The text of a call that just failed, on the thread that made it. */
static go_marlin_result finish(go_marlin_handle handle, marlin_status status) {
    go_marlin_result result = {status, NULL};
    if (status == MARLIN_SUCCESS)
        return result;
    const size_t size = marlin_last_error(known(handle), NULL, 0) + 1;
    result.text = malloc(size);
    if (result.text != NULL)
        marlin_last_error(known(handle), result.text, size);
    return result;
}

static void *pointer(go_marlin_memory memory) {
    return memory.slice != NULL ? (void *)memory.slice : (void *)memory.address;
}

go_marlin_result go_marlin_handle_create(int32_t device, int32_t device_id, int32_t num_threads, uintptr_t stream,
                                         uintptr_t workspace, size_t workspace_size, go_marlin_handle *handle) {
    const marlin_handle_desc desc = {.struct_size = sizeof desc,
                                     .device = device,
                                     .device_id = device_id,
                                     .num_threads = num_threads,
                                     .stream = (marlin_stream_t)stream,
                                     .workspace = (void *)workspace,
                                     .workspace_size = workspace_size};
    marlin_handle_t made = NULL;
    const marlin_status status = marlin_handle_create(&desc, &made);
    *handle = (go_marlin_handle)made;
    return finish(0, status);
}

void go_marlin_handle_destroy(go_marlin_handle handle) {
    marlin_handle_destroy(known(handle));
}

go_marlin_result go_marlin_handle_get_info(go_marlin_handle handle, marlin_handle_info *info) {
    return finish(handle, marlin_handle_get_info(known(handle), info));
}

go_marlin_result go_marlin_handle_set_stream(go_marlin_handle handle, uintptr_t stream) {
    return finish(handle, marlin_handle_set_stream(known(handle), (marlin_stream_t)stream));
}

go_marlin_result go_marlin_handle_get_stream(go_marlin_handle handle, uintptr_t *stream) {
    marlin_stream_t got = NULL;
    const marlin_status status = marlin_handle_get_stream(known(handle), &got);
    *stream = (uintptr_t)got;
    return finish(handle, status);
}

go_marlin_result go_marlin_handle_set_workspace(go_marlin_handle handle, uintptr_t workspace, size_t size) {
    return finish(handle, marlin_handle_set_workspace(known(handle), (void *)workspace, size));
}

go_marlin_result go_marlin_handle_set_option(go_marlin_handle handle, int32_t option, int64_t value) {
    return finish(handle, marlin_handle_set_option(known(handle), (marlin_option)option, value));
}

go_marlin_result go_marlin_handle_get_option(go_marlin_handle handle, int32_t option, int64_t *value) {
    return finish(handle, marlin_handle_get_option(known(handle), (marlin_option)option, value));
}

go_marlin_result go_marlin_pack_size(go_marlin_handle handle, const marlin_pack_desc *desc, size_t *size) {
    return finish(handle, marlin_pack_size(known(handle), desc, size));
}

go_marlin_result go_marlin_pack(go_marlin_handle handle, const marlin_pack_desc *desc, go_marlin_input input,
                                go_marlin_memory packed, marlin_weights *weights) {
    const marlin_pack_input given = {.struct_size = sizeof given,
                                     .memory = input.host,
                                     .src = pointer(input.src),
                                     .src_size = input.src.size,
                                     .scales = pointer(input.scales),
                                     .scales_size = input.scales.size,
                                     .zeros = pointer(input.zeros),
                                     .zeros_size = input.zeros.size,
                                     .g_idx = pointer(input.g_idx),
                                     .g_idx_size = input.g_idx.size,
                                     .importance = pointer(input.importance),
                                     .importance_size = input.importance.size,
                                     .column_scales = pointer(input.column_scales),
                                     .column_scales_size = input.column_scales.size};
    weights->struct_size = sizeof *weights;
    return finish(handle, marlin_pack(known(handle), desc, &given, pointer(packed), packed.size, weights));
}

go_marlin_result go_marlin_attach(go_marlin_handle handle, go_marlin_memory packed, marlin_weights *weights) {
    weights->struct_size = sizeof *weights;
    return finish(handle, marlin_weights_attach(known(handle), pointer(packed), packed.size, weights));
}

go_marlin_result go_marlin_unpack(go_marlin_handle handle, const marlin_weights *weights, int32_t dst_type,
                                  int32_t dst_order, int64_t ld_dst, go_marlin_memory dst, go_marlin_memory scales,
                                  go_marlin_memory zeros) {
    const marlin_unpack_desc desc = {.struct_size = sizeof desc,
                                     .dst_type = dst_type,
                                     .dst_order = dst_order,
                                     .ld_dst = ld_dst,
                                     .dst = pointer(dst),
                                     .dst_size = dst.size,
                                     .scales = pointer(scales),
                                     .scales_size = scales.size,
                                     .zeros = pointer(zeros),
                                     .zeros_size = zeros.size};
    return finish(handle, marlin_unpack(known(handle), weights, &desc));
}

static marlin_gemm_desc gemm_desc(go_marlin_gemm_call call, go_marlin_memory bias) {
    const marlin_gemm_desc desc = {.struct_size = sizeof desc,
                                   .a_type = call.a_type,
                                   .c_type = call.c_type,
                                   .bias_type = call.bias_type,
                                   .m = call.m,
                                   .lda = call.lda,
                                   .ldc = call.ldc,
                                   .bias = pointer(bias)};
    return desc;
}

go_marlin_result go_marlin_gemm(go_marlin_handle handle, go_marlin_gemm_call call, go_marlin_memory bias,
                                go_marlin_memory a, const marlin_weights *b, go_marlin_memory c) {
    const marlin_gemm_desc desc = gemm_desc(call, bias);
    return finish(handle, call.sparse ? marlin_sp_gemm(known(handle), &desc, pointer(a), b, pointer(c))
                                      : marlin_gemm(known(handle), &desc, pointer(a), b, pointer(c)));
}

go_marlin_result go_marlin_gemm_query(go_marlin_handle handle, go_marlin_gemm_call call, go_marlin_memory bias,
                                      const marlin_weights *b, marlin_gemm_info *info) {
    const marlin_gemm_desc desc = gemm_desc(call, bias);
    info->struct_size = sizeof *info;
    return finish(handle, marlin_gemm_query(known(handle), &desc, b, info));
}

static void log_to_go(void *user, marlin_log_level level, const char *message) {
    (void)user;
    goMarlinLog((int32_t)level, (char *)message);
}

void go_marlin_set_log(int to_go, int32_t level) {
    marlin_set_log(to_go ? log_to_go : NULL, NULL, (marlin_log_level)level);
}
