// Device memory that one call needs until it returns: out of the handle's workspace as long as that lasts.
#pragma once

#include <vector>

#include "common/arith.h"
#include "cuda/runtime.h"

namespace marlin::cuda {

// Where a call that is no multiply may work.
struct WorkPlace {
    int32_t ordinal = 0;
    Stream stream = nullptr;
    std::byte *workspace = nullptr; // without what must stay between calls
    int64_t workspace_size = 0;
};

class Scratch {
public:
    explicit Scratch(const WorkPlace &place) : place_(place) {}

    // For `count` elements, aligned to 256 bytes; lives as long as this object.
    template <typename T>
    T *take(int64_t count) {
        return static_cast<T *>(take_bytes(count * static_cast<int64_t>(sizeof(T))));
    }
    // A copy of an array of the host; NULL stays NULL.
    template <typename T>
    const T *upload(const T *host, int64_t count) {
        if (host == nullptr || count == 0)
            return nullptr;
        T *const copy = take<T>(count);
        copy_to_device(copy, host, static_cast<size_t>(count) * sizeof(T), place_.stream);
        return copy;
    }

private:
    void *take_bytes(int64_t size) {
        const int64_t begin = used_;
        const int64_t end = begin + round_up(size, 256);
        if (end <= place_.workspace_size) {
            used_ = end;
            return place_.workspace + begin;
        }
        own_.emplace_back(place_.ordinal, static_cast<size_t>(size));
        return own_.back().data();
    }

    WorkPlace place_;
    int64_t used_ = 0;
    std::vector<DeviceMemory> own_;
};

} // namespace marlin::cuda
