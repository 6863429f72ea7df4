// Status texts, last errors, version and build information.
#include <algorithm>

#include "boundary.h"
#include "build_info.h"

namespace marlin::capi {

ErrorText &thread_error() noexcept {
    thread_local ErrorText text;
    return text;
}

namespace {

// Kept as one literal, so that the pointer that marlin_build_info returns needs no initialisation at run time.
constexpr const char *kBuildInfo = "{\"version\": \"" MARLIN_BUILD_VERSION "\", \"commit\": \"" MARLIN_BUILD_COMMIT
                                   "\", \"compiler\": \"" MARLIN_BUILD_COMPILER "\", \"cuda\": \"" MARLIN_BUILD_CUDA
                                   "\", \"architectures\": \"" MARLIN_BUILD_CUDA_ARCHITECTURES
                                   "\", \"cpu_kernels\": [\"reference\", \"avx2\", \"avx512\", \"avx512_bf16\"]}";

struct StatusText {
    marlin_status status;
    const char *name;
    const char *sentence;
};
constexpr StatusText kStatusTexts[] = {
    {MARLIN_SUCCESS, "MARLIN_SUCCESS", "The call did what was asked."},
    {MARLIN_INVALID_ARGUMENT, "MARLIN_INVALID_ARGUMENT", "A pointer, size, stride or enumerator is wrong."},
    {MARLIN_NOT_SUPPORTED, "MARLIN_NOT_SUPPORTED", "This device or this version of libmarlin cannot do it."},
    {MARLIN_OUT_OF_MEMORY, "MARLIN_OUT_OF_MEMORY", "Memory could not be allocated."},
    {MARLIN_WORKSPACE_TOO_SMALL, "MARLIN_WORKSPACE_TOO_SMALL", "The workspace is smaller than this multiply needs."},
    {MARLIN_BAD_PACKED_DATA, "MARLIN_BAD_PACKED_DATA", "Packed weights are damaged or of an unknown layout."},
    {MARLIN_NOT_SPARSE, "MARLIN_NOT_SPARSE", "The source weights do not follow the 2:4 pattern."},
    {MARLIN_DEVICE_ERROR, "MARLIN_DEVICE_ERROR", "The CUDA runtime or driver reported an error."},
    {MARLIN_INTERNAL_ERROR, "MARLIN_INTERNAL_ERROR", "A bug in libmarlin: please report it with the text."},
};

const StatusText &text_of(marlin_status status) {
    static constexpr StatusText unknown = {MARLIN_STATUS_FORCE_32, "MARLIN_UNKNOWN_STATUS",
                                           "This number is no status of this version of libmarlin."};
    const auto *const found = std::find_if(std::begin(kStatusTexts), std::end(kStatusTexts),
                                           [&](const StatusText &text) { return text.status == status; });
    return found == std::end(kStatusTexts) ? unknown : *found;
}

} // namespace
} // namespace marlin::capi

extern "C" {

const char *marlin_status_name(marlin_status status) {
    return marlin::capi::text_of(status).name;
}

const char *marlin_status_string(marlin_status status) {
    return marlin::capi::text_of(status).sentence;
}

size_t marlin_last_error(marlin_handle_t handle, char *text, size_t size) {
    using namespace marlin::capi;
    const bool usable = handle != nullptr && handle->alive == marlin_handle::kAlive && handle->owner == getpid();
    return (usable ? handle->error : thread_error()).copy(text, size);
}

int marlin_version(void) {
    return MARLIN_VERSION;
}

const char *marlin_build_info(void) {
    return marlin::capi::kBuildInfo;
}

} // extern "C"
