/* Calls of the CUDA driver through dlsym, in the primary context of device 0, which libmarlin uses as well. */
#include "driver.h"

#include <dlfcn.h>

enum { NO_DRIVER = -1 };

/* The driver's own names and types (CUDA Driver API, cuda.h), as far as they are needed. */
static struct {
    int (*init)(unsigned flags);
    int (*device_get)(int *device, int ordinal);
    int (*primary_retain)(void **context, int device);
    int (*set_current)(void *context);
    int (*mem_alloc)(uint64_t *address, size_t size);
    int (*mem_free)(uint64_t address);
    int (*synchronize)(void);
    int (*to_device)(uint64_t to, const void *from, size_t size);
    int (*from_device)(void *to, uint64_t from, size_t size);
    int (*stream_create)(void **stream, unsigned flags);
    int (*stream_synchronize)(void *stream);
    int (*stream_destroy)(void *stream);
    void *context;
} driver;

static int find(void *library, const char *name, void *function) {
    void *found = dlsym(library, name);
    *(void **)function = found;
    return found != NULL;
}

int go_cuda_open(void) {
    void *library = dlopen("libcuda.so.1", RTLD_NOW);
    int device = 0;
    int status;
    if (library == NULL || !find(library, "cuInit", &driver.init) ||
        !find(library, "cuDeviceGet", &driver.device_get) ||
        !find(library, "cuDevicePrimaryCtxRetain", &driver.primary_retain) ||
        !find(library, "cuCtxSetCurrent", &driver.set_current) || !find(library, "cuMemAlloc_v2", &driver.mem_alloc) ||
        !find(library, "cuMemFree_v2", &driver.mem_free) || !find(library, "cuCtxSynchronize", &driver.synchronize) ||
        !find(library, "cuMemcpyHtoD_v2", &driver.to_device) ||
        !find(library, "cuMemcpyDtoH_v2", &driver.from_device) ||
        !find(library, "cuStreamCreate", &driver.stream_create) ||
        !find(library, "cuStreamSynchronize", &driver.stream_synchronize) ||
        !find(library, "cuStreamDestroy_v2", &driver.stream_destroy))
        return NO_DRIVER;
    if ((status = driver.init(0)) != 0 || (status = driver.device_get(&device, 0)) != 0)
        return status;
    return driver.primary_retain(&driver.context, device);
}

/* The context is current for a thread, and every call from Go may come on another one. */
static int enter(void) {
    return driver.context == NULL ? NO_DRIVER : driver.set_current(driver.context);
}

int go_cuda_alloc(size_t size, uint64_t *address) {
    const int status = enter();
    return status != 0 ? status : driver.mem_alloc(address, size);
}

int go_cuda_free(uint64_t address) {
    const int status = enter();
    return status != 0 ? status : driver.mem_free(address);
}

int go_cuda_to_device(uint64_t to, const unsigned char *from, size_t size) {
    int status = enter();
    if (status == 0)
        status = driver.to_device(to, from, size);
    /* The copy itself may return while the bytes are still on their way, and other streams do not wait for it. */
    return status != 0 ? status : driver.synchronize();
}

int go_cuda_from_device(unsigned char *to, uint64_t from, size_t size) {
    const int status = enter();
    return status != 0 ? status : driver.from_device(to, from, size);
}

int go_cuda_stream(uintptr_t *stream) {
    enum { NON_BLOCKING = 1 };
    void *made = NULL;
    int status = enter();
    if (status == 0)
        status = driver.stream_create(&made, NON_BLOCKING);
    *stream = (uintptr_t)made;
    return status;
}

int go_cuda_synchronize(uintptr_t stream) {
    const int status = enter();
    return status != 0 ? status : driver.stream_synchronize((void *)stream);
}

int go_cuda_stream_destroy(uintptr_t stream) {
    const int status = enter();
    return status != 0 ? status : driver.stream_destroy((void *)stream);
}
