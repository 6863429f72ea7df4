/* What the Go files call instead of marlin.h: descriptors with pointers in them are made on the C side, so that no Go
 * memory ever points to Go memory, and a failed call brings its text with it. */
#ifndef GO_MARLIN_NATIVE_H
#define GO_MARLIN_NATIVE_H

#include <marlin/marlin.h>
#include <stdint.h>
#include <stdlib.h>

/* Call and text in one: between two calls from Go the goroutine may have moved to another thread, and marlin_last_error
 * of a handle that could not be entered is the thread's. text is from malloc, NULL after a success. */
typedef struct go_marlin_result {
    marlin_status status;
    char *text;
} go_marlin_result;

/* A slice of Go, or an address that Go knows as a number only. Bytes, because a pointer to them needs no look at what
 * lies around the slice: elements hold no pointers. */
typedef struct go_marlin_memory {
    unsigned char *slice;
    uintptr_t address;
    size_t size;
} go_marlin_memory;

/* A marlin_handle_t. As a pointer to a type that Go cannot see into, it would cost every call a check of pointers, and
 * with Go 1.19 an allocation. */
typedef uintptr_t go_marlin_handle;

typedef struct go_marlin_input {
    go_marlin_memory src;
    go_marlin_memory scales;
    go_marlin_memory zeros;
    go_marlin_memory g_idx;
    go_marlin_memory importance;
    go_marlin_memory column_scales;
    int32_t host;
} go_marlin_input;

typedef struct go_marlin_gemm_call {
    int32_t sparse;
    int32_t a_type;
    int32_t c_type;
    int32_t bias_type;
    int64_t m;
    int64_t lda;
    int64_t ldc;
} go_marlin_gemm_call;

go_marlin_result go_marlin_handle_create(int32_t device, int32_t device_id, int32_t num_threads, uintptr_t stream,
                                         uintptr_t workspace, size_t workspace_size, go_marlin_handle *handle);
void go_marlin_handle_destroy(go_marlin_handle handle);
go_marlin_result go_marlin_handle_get_info(go_marlin_handle handle, marlin_handle_info *info);
go_marlin_result go_marlin_handle_set_stream(go_marlin_handle handle, uintptr_t stream);
go_marlin_result go_marlin_handle_get_stream(go_marlin_handle handle, uintptr_t *stream);
go_marlin_result go_marlin_handle_set_workspace(go_marlin_handle handle, uintptr_t workspace, size_t size);
go_marlin_result go_marlin_handle_set_option(go_marlin_handle handle, int32_t option, int64_t value);
go_marlin_result go_marlin_handle_get_option(go_marlin_handle handle, int32_t option, int64_t *value);

go_marlin_result go_marlin_pack_size(go_marlin_handle handle, const marlin_pack_desc *desc, size_t *size);
go_marlin_result go_marlin_pack(go_marlin_handle handle, const marlin_pack_desc *desc, go_marlin_input input,
                                go_marlin_memory packed, marlin_weights *weights);
go_marlin_result go_marlin_attach(go_marlin_handle handle, go_marlin_memory packed, marlin_weights *weights);
go_marlin_result go_marlin_unpack(go_marlin_handle handle, const marlin_weights *weights, int32_t dst_type,
                                  int32_t dst_order, int64_t ld_dst, go_marlin_memory dst, go_marlin_memory scales,
                                  go_marlin_memory zeros);

go_marlin_result go_marlin_gemm(go_marlin_handle handle, go_marlin_gemm_call call, go_marlin_memory bias,
                                go_marlin_memory a, const marlin_weights *b, go_marlin_memory c);
go_marlin_result go_marlin_gemm_query(go_marlin_handle handle, go_marlin_gemm_call call, go_marlin_memory bias,
                                      const marlin_weights *b, marlin_gemm_info *info);

/* With to_go the receiver is the Go function goMarlinLog, otherwise standard error. */
void go_marlin_set_log(int to_go, int32_t level);

#endif
