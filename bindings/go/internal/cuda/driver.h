/* The little of the CUDA driver that the tests need, opened at run time. Every function returns a CUresult, or -1 where
 * there is no driver. */
#ifndef GO_MARLIN_DRIVER_H
#define GO_MARLIN_DRIVER_H

#include <stddef.h>
#include <stdint.h>

int go_cuda_open(void);
int go_cuda_alloc(size_t size, uint64_t *address);
int go_cuda_free(uint64_t address);
int go_cuda_to_device(uint64_t to, const unsigned char *from, size_t size);
int go_cuda_from_device(unsigned char *to, uint64_t from, size_t size);
int go_cuda_stream(uintptr_t *stream);
int go_cuda_synchronize(uintptr_t stream);
int go_cuda_stream_destroy(uintptr_t stream);

#endif
