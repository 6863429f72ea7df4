// Made-up kernels and devices for tests of the choice of CUDA kernels, a pure function that needs no GPU.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/arith.h"
#include "common/error.h"
#include "cuda/heuristics.h"
#include "support/catch.h"

namespace marlin::test {

inline constexpr cuda::Limits kLarge = {132, 232448};
inline constexpr cuda::Limits kSmall = {84, 101376}; // 8.6: 99 KB

inline cuda::Instance made_up_slab(cuda::Family family, int32_t number, int32_t tokens, int32_t row_groups,
                                   int32_t shared_size, cuda::Weights weights = cuda::Weights::Group128,
                                   int32_t threads = 256) {
    cuda::Instance instance = {};
    instance.name = "made up";
    instance.number = number;
    instance.family = family;
    instance.a_type = Type::F16;
    instance.weights = weights;
    instance.tokens = tokens;
    instance.features = 16 * row_groups;
    instance.ctas_per_sm = 1;
    instance.stages = 3;
    instance.threads = threads;
    instance.shared_size = shared_size;
    return instance;
}

inline cuda::Instance made_up_stripe(cuda::Family family, int32_t number, int32_t tokens, int32_t features,
                                     int32_t k_groups, int32_t shared_size,
                                     cuda::Weights weights = cuda::Weights::Group128) {
    cuda::Instance instance = made_up_slab(family, number, tokens, features / 16, shared_size, weights);
    instance.k_groups = k_groups;
    instance.ctas_per_sm = tokens <= 16 ? 2 : 1;
    instance.partial_size = int64_t{4} * tokens * features;
    return instance;
}

inline Geometry geometry_of(const Problem &p) {
    PackedShape shape;
    shape.layout = p.sparse ? Layout::Sparse24Draft : Layout::Dense;
    shape.n = p.n;
    shape.group_size = p.group_size;
    shape.k_packed = round_up(p.k, run_rows(shape.layout, p.group_size));
    return make_geometry(shape);
}

// What there is to choose from.
class MadeUpKernels {
public:
    explicit MadeUpKernels(std::vector<cuda::Instance> instances) : instances_(std::move(instances)) {
        for (const cuda::Instance &instance : instances_)
            all_.push_back(&instance);
    }
    MadeUpKernels(const MadeUpKernels &) = delete;
    MadeUpKernels &operator=(const MadeUpKernels &) = delete;

    const std::vector<const cuda::Instance *> &all() const { return all_; }

    cuda::Launch chosen(const Problem &p, const cuda::Limits &limits = kLarge, const cuda::Wishes &wishes = {}) const {
        return cuda::choose(p, geometry_of(p), limits, wishes, all_);
    }
    // The number of the kernel.
    int32_t number(const std::string &text, const cuda::Limits &limits = kLarge,
                   const cuda::Wishes &wishes = {}) const {
        return chosen(problem_from_text(text), limits, wishes).instance->number;
    }
    // Not supported, with a text that has `part`.
    void check_refused(const std::string &text, const cuda::Limits &limits, const cuda::Wishes &wishes,
                       const std::string &part) const {
        try {
            number(text, limits, wishes);
            FAIL(text << " was accepted");
        } catch (const Error &error) {
            CHECK(error.status() == Status::NotSupported);
            CHECK(error.text().find(part) != std::string::npos);
        }
    }

private:
    std::vector<cuda::Instance> instances_;
    std::vector<const cuda::Instance *> all_;
};

// Every feature, token and row of k is somebody's, and no CTA of a slab is idle.
inline void check_covers(const cuda::Launch &launch, const Problem &p, const cuda::Limits &limits) {
    const cuda::Instance &instance = *launch.instance;
    const Geometry g = geometry_of(p);
    INFO(to_text(p) << " on " << limits.sm_count << " SMs: " << instance.number);
    CHECK(instance.shared_size <= limits.shared_memory_per_block);
    if (instance.family == cuda::Family::Slab || instance.family == cuda::Family::SparseSlab) {
        const int64_t row_groups = g.n_packed() / 16;
        CHECK(launch.grid[0] * launch.groups_per_cta >= row_groups);
        CHECK((launch.grid[0] - 1) * launch.groups_per_cta < row_groups);
        CHECK(launch.grid[0] <= limits.sm_count);
        CHECK(launch.grid[1] * instance.tokens >= p.m);
        CHECK((launch.grid[1] - 1) * instance.tokens < p.m);
        CHECK(launch.partials_size == 0);
    } else {
        const cuda::Partition &parts = launch.partition;
        const int64_t block = p.sparse ? 128 : 64;
        CHECK(parts.tiles == div_up(p.n, instance.features) * div_up(p.m, instance.tokens));
        CHECK(int64_t{parts.units.value} * instance.k_groups * block >= g.shape.k_packed);
        CHECK(launch.grid[0] == int64_t{parts.ctas} * instance.beside);
        CHECK(launch.grid[0] <= int64_t{limits.sm_count} * instance.ctas_per_sm);
        CHECK((launch.partials_size > 0) == (parts.striped > 0 && launch.sharers == 1));
    }
}

} // namespace marlin::test
