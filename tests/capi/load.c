/* Loads libmarlin as a plug-in or a binding would: by path, with all symbols resolved, and unloads it again. */
#include <dlfcn.h>
#include <stdio.h>

#include "marlin/marlin.h"

static int serve_cpu(void *library) {
    marlin_status (*create)(const marlin_handle_desc *, marlin_handle_t *);
    void (*destroy)(marlin_handle_t);
    int (*version)(void);
    marlin_handle_desc desc = {.struct_size = sizeof desc, .device = MARLIN_DEVICE_CPU, .num_threads = 2};
    marlin_handle_t handle = NULL;

    *(void **)&create = dlsym(library, "marlin_handle_create");
    *(void **)&destroy = dlsym(library, "marlin_handle_destroy");
    *(void **)&version = dlsym(library, "marlin_version");
    if (create == NULL || destroy == NULL || version == NULL || version() != MARLIN_VERSION) {
        fprintf(stderr, "entry points are missing or of another version than %d\n", MARLIN_VERSION);
        return 1;
    }
    const marlin_status status = create(&desc, &handle);
    if (status != MARLIN_SUCCESS) {
        fprintf(stderr, "creating a CPU handle gave status %d, expected 0\n", (int)status);
        return 1;
    }
    destroy(handle);
    return 0;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s LIBRARY\n", argv[0]);
        return 2;
    }
    for (int round = 0; round < 2; ++round) {
        void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
        if (library == NULL) {
            fprintf(stderr, "%s\n", dlerror());
            return 1;
        }
        if (serve_cpu(library) != 0)
            return 1;
        dlclose(library);
    }
    return 0;
}
