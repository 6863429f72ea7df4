// ParallelFor for work that may fail: the error that comes out is that of the lowest index, whatever the split.
#pragma once

#include <cstdint>
#include <exception>
#include <mutex>

#include "pack/pack.h"

namespace marlin {

// Calls body(state, index) for every index in [0, count); each part of the range has its own make_state().
template <typename MakeState, typename Body>
void parallel_columns(ParallelFor &parallel, int64_t count, MakeState make_state, Body body) {
    struct Context {
        MakeState &make_state;
        Body &body;
        std::mutex mutex;
        int64_t failed_index;
        std::exception_ptr error;
    } context{make_state, body, {}, count, nullptr};

    parallel.run(
        count,
        [](void *opaque, int64_t begin, int64_t end) {
            auto &c = *static_cast<Context *>(opaque);
            int64_t index = begin;
            try {
                auto state = c.make_state();
                for (; index < end; ++index)
                    c.body(state, index);
            } catch (...) {
                const std::scoped_lock lock(c.mutex);
                if (c.error == nullptr || index < c.failed_index) {
                    c.failed_index = index;
                    c.error = std::current_exception();
                }
            }
        },
        &context);
    if (context.error != nullptr)
        std::rethrow_exception(context.error);
}

} // namespace marlin
