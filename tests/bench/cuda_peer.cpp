// Choosing the best cuBLAS candidate and timing it.
#include "cuda_peer.h"

#include <algorithm>

#include "cuda_kernels.h"

namespace marlin::bench {

void CudaPeer::make_weights(const BlasShape &shape) {
    if (!weights_.empty() && made_.type == shape.type && made_.n == shape.n && made_.k == shape.k)
        return;
    weights_.clear();
    const int64_t size = shape.n * shape.k * size_of(shape.type);
    for (int64_t copy = 0; copy < device_.copies_to_rotate(size); ++copy) {
        weights_.emplace_back(size);
        check(fill_normal(weights_.back().data(), shape.n * shape.k, shape.type, 0.05f,
                          100 + static_cast<uint64_t>(copy), stream_.get()),
              "filling with random values");
    }
    made_ = shape;
}

const BlasTiming &CudaPeer::time(const BlasShape &shape) {
    const auto [entry, fresh] = measured_.try_emplace(shape);
    if (!fresh)
        return entry->second;
    try {
        make_weights(shape);
        const DeviceBytes a(shape.m * shape.k * size_of(shape.type));
        const DeviceBytes c(shape.m * shape.n * size_of(shape.type));
        check(fill_normal(a.data(), shape.m * shape.k, shape.type, 1.0f, 1, stream_.get()),
              "filling with random values");
        const std::vector<BlasCandidate> candidates = blas_->candidates(shape);
        const auto copies = static_cast<int64_t>(weights_.size());
        const auto call_of = [&](const BlasCandidate &candidate) {
            return [&](int64_t copy) {
                candidate.multiply(weights_[static_cast<size_t>(copy)].data(), a.data(), c.data());
            };
        };
        std::vector<std::pair<double, const BlasCandidate *>> glances;
        for (const BlasCandidate &candidate : candidates) {
            candidate.multiply(weights_[0].data(), a.data(), c.data()); // loads its kernels outside of any graph
            stream_.synchronize();
            glances.emplace_back(timer_.glance(copies, call_of(candidate)), &candidate);
        }
        std::sort(glances.begin(), glances.end());
        // One glance can mislead: the two best are timed.
        for (size_t i = 0; i < std::min<size_t>(2, glances.size()); ++i) {
            const GraphTiming timing = timer_.measure(copies, call_of(*glances[i].second));
            if (i == 0 || timing.us < entry->second.timing.us)
                entry->second = {timing, glances[i].second->name};
        }
    } catch (...) {
        measured_.erase(entry);
        throw;
    }
    return entry->second;
}

} // namespace marlin::bench
