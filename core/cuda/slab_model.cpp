// The model of slabs, fitted to 220 launches of 27 layers together with that of Hopper's other kernels
// (docs/kernel.md).
#include "cuda/slab_model.h"

#include "common/arith.h"
#include "cuda/candidates.h"
#include "cuda/measured.h"

namespace marlin::cuda {
namespace {

constexpr double kLaunch = 2.42;    // and the first copies
constexpr double kPass = 1.19;      // the sum over the warps, once more
constexpr double kWeights = 1.7e-5; // a row group, for each row of k
constexpr double kTokens = 5.7e-6;  // a token of a pass, for each row of k

// What a pass of an instance takes for each row of k, whatever it finds there.
constexpr Measured kMeasured[] = {
    {8, 32, 5.05e-4},  {8, 48, 7.05e-4},  {8, 64, 9.13e-4}, {8, 112, 17.5e-4}, {16, 32, 6.49e-4},
    {16, 48, 9.96e-4}, {16, 64, 13.0e-4}, {32, 32, 9.9e-4}, {32, 48, 14.3e-4},
};

// Where a shape was not measured.
double estimate(const Instance &instance) {
    return 0.5e-4 + instance.features * (1.0e-5 + instance.tokens * 0.5e-6);
}

// How much longer a row takes where groups and zeros are known at run time only, or zeros alone; the mean of formats.
double of_weights(const Instance &instance, int64_t group) {
    switch (instance.weights) {
    case Weights::Group128:
        return 1.0;
    case Weights::Group64:
        return 1.05;
    case Weights::Group32:
        return instance.tokens == 8 ? 1.12 : 1.22;
    case Weights::Rows128:
        return instance.tokens == 8 ? 1.12 : 1.18;
    case Weights::Rows64:
        return 1.08;
    case Weights::Rows32:
        return instance.tokens == 8 ? 1.4 : 1.48;
    default:
        if (group == kGroupPerColumn)
            return instance.tokens == 8 ? 1.05 : 1.2;
        return group == 32 ? 1.65 : 1.3;
    }
}

double of_format(const Instance &instance, int64_t group) {
    const double of_type = instance.a_type == Type::BF16 ? 1.08 : 1.0;
    return of_type * of_weights(instance, group);
}

} // namespace

double slab_cost(const Instance &instance, const Slab &slab) {
    const double row =
        of_format(instance, slab.group) * measured_time(kMeasured, instance).value_or(estimate(instance));
    const auto passes = static_cast<double>(div_up(slab.row_groups, instance.features / kRowGroup));
    const auto rows = static_cast<double>(slab.k);
    return kLaunch + (passes - 1) * kPass +
           rows * (passes * (row + static_cast<double>(slab.tokens) * kTokens) +
                   static_cast<double>(slab.row_groups) * kWeights);
}

} // namespace marlin::cuda
