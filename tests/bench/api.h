// Calls of the C interface that must succeed: a status that is none becomes an error with the library's own text.
#pragma once

#include "common/error.h"
#include "marlin/marlin.h"

namespace marlin::bench {

inline void check(marlin_status status, marlin_handle_t handle) {
    if (status == MARLIN_SUCCESS)
        return;
    char text[512] = "";
    marlin_last_error(handle, text, sizeof text);
    fail(static_cast<Status>(status), "{}: {}", marlin_status_name(status), text);
}

} // namespace marlin::bench
