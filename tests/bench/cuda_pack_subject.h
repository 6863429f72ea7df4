// A layer in device memory to be packed or unpacked, with arrays made up as the source wants them.
#pragma once

#include <deque>

#include "cuda/pack.h"
#include "cuda_pack_problem.h"

namespace marlin::bench {

class PackSubject {
public:
    PackSubject(const PackProblem &problem, int32_t ordinal);

    // Packs or unpacks; returns when it is done.
    void run();
    // Bytes that one run must read and write at least once.
    int64_t bytes() const { return bytes_; }

private:
    template <typename T>
    std::span<T> make(int64_t size, const void *pattern, int64_t pattern_size);
    void make_source();
    void make_order();

    PackProblem problem_;
    int32_t ordinal_;
    std::deque<cuda::DeviceMemory> memory_;
    cuda::WorkPlace place_;
    PackRequest request_;
    std::span<std::byte> packed_;
    WeightsView view_;
    UnpackRequest unpack_;
    int64_t bytes_ = 0;
};

} // namespace marlin::bench
