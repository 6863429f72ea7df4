// A table of launches with one place for each hash.
#include "cuda/launch_cache.h"

namespace marlin::cuda {
namespace {

// Shapes and batches are multiples of powers of two: multiplied, and the high bits taken.
size_t place_of(const Problem &p, size_t places) {
    auto hash = static_cast<uint64_t>(p.m);
    for (const int64_t size : {p.n, p.k, int64_t{p.act_order}, p.group_size})
        hash = (hash ^ static_cast<uint64_t>(size)) * 0x9e3779b97f4a7c15u;
    return static_cast<size_t>(hash >> 32) % places;
}

} // namespace

const Launch &LaunchCache::choose(const Problem &problem, const Geometry &geometry, const Limits &limits,
                                  const Wishes &wishes, std::span<const Instance *const> instances) {
    Entry &entry = entries_[place_of(problem, entries_.size())];
    const int64_t k_packed = geometry.shape.k_packed;
    if (entry.launch.instance == nullptr || entry.k_packed != k_packed || !(entry.problem == problem))
        entry = {problem, k_packed, cuda::choose(problem, geometry, limits, wishes, instances)};
    return entry.launch;
}

void LaunchCache::clear() {
    entries_.fill({});
}

} // namespace marlin::cuda
