// The model of Hopper's own kernels, fitted by least squares to 1100 launches of seven shapes (docs/kernel.md).
#include "cuda/wgmma_model.h"

#include <algorithm>

#include "cuda/measured.h"

namespace marlin::cuda {
namespace {

constexpr double kLaunch = 3.0;        // and the first copies
constexpr double kBeside = 0.7;        // CTAs of a cluster wait for each other's barriers
constexpr double kSegment = 0.57;      // C of another tile
constexpr double kPart = 1.35;         // a part of a tile: a counter, and who is last adds up
constexpr double kPartByte = 1.6e-5;   // written
constexpr double kSharedByte = 1.5e-5; // read by the last, for each other CTA
constexpr double kCluster = 0.48;      // a cluster, and the sums that its CTAs give each other
constexpr double kClusterByte = 1.8e-5;
// CTAs in whole tiles go along k side by side and share what they read of A; in stripes each is at another place, and
// what exceeds half of the L2 comes from memory again and again (8192 x 28672, M = 1024: 573 us whole, 742 striped).
constexpr int64_t kShareable = 20'000'000;
constexpr double kApart = 0.3;   // more for a unit
constexpr double kUneven = 0.04; // more for a unit of stripes that are no even cut
// What takes longer than that (loops over k alone) runs into the power limit, and tiles that read more of A for as many
// products draw more.
constexpr double kLong = 60.0;
constexpr int32_t kWide = 256; // features
constexpr double kNarrow = 1.03;
// Narrow tiles that read the same weights side by side take more out of L2.
constexpr double kSideBySide = 1.01;

// A unit of an instance, and how many groups take turns. What became faster since the fit counts less by as much as was
// measured of it.
constexpr Measured kMeasured[] = {
    {8, 64, 0.138, 2},  {8, 256, 0.515},     {16, 64, 0.147, 2},  {16, 64, 0.134, 3}, {16, 256, 0.515},
    {32, 64, 0.160, 2}, {32, 64, 0.149, 3},  {32, 128, 0.299, 2}, {32, 128, 0.340},   {32, 256, 0.598},
    {48, 64, 0.190, 2}, {48, 64, 0.180, 3},  {48, 128, 0.370, 2}, {48, 256, 0.720},   {64, 64, 0.222, 2},
    {64, 64, 0.210, 3}, {64, 128, 0.456, 2}, {64, 128, 0.445},    {64, 192, 0.612},   {64, 256, 0.801},
    {96, 64, 0.284, 2}, {96, 128, 0.550},    {96, 192, 0.845},    {96, 256, 1.115},   {128, 64, 0.380, 2},
    {128, 128, 0.652},  {128, 192, 0.984},   {128, 256, 1.315},   {256, 128, 1.300},  {256, 256, 1.290},
};

// Where a shape was not measured: the bytes, the products, and what every unit costs.
double estimate(const Instance &instance) {
    const double weights = instance.features * 66.0;
    const double products = 2.0 * instance.features * instance.tokens * 128.0;
    return 0.05 + std::max(weights / 27e3, products / 6.4e6);
}

// How much longer a unit takes where weights are not symmetric in groups of 128; the mean of formats.
double of_format(const Instance &instance) {
    if (instance.weights != Weights::Group128 && instance.tokens >= 256)
        return 1.01; // nearly all is products
    const bool few = instance.tokens <= 64;
    switch (instance.weights) {
    case Weights::Group128:
        return 1.0;
    case Weights::Group64:
        return 1.1;
    case Weights::Group32:
        return 1.15;
    case Weights::Rows128:
        return 1.14;
    case Weights::Rows64:
        return 1.2;
    case Weights::Rows32:
        return few ? 1.38 : 1.15;
    case Weights::Offsets128:
        return few ? 1.25 : 1.1;
    default:
        return instance.tokens <= 32 ? 2.0 : 1.8;
    }
}

} // namespace

double wgmma_unit(const Instance &instance, int64_t token_tiles) {
    const double unit = of_format(instance) * measured_time(kMeasured, instance).value_or(estimate(instance));
    return token_tiles > 1 && instance.tokens < 256 ? unit * kSideBySide : unit;
}

double wgmma_loop(const Instance &instance, int64_t units, double unit) {
    const double loop = static_cast<double>(units) * unit;
    return loop > kLong && instance.features < kWide ? loop * kNarrow : loop;
}

double wgmma_cost(const Instance &instance, const Cut &cut, double unit) {
    const auto bytes = static_cast<double>(instance.partial_size);
    const double launch = kLaunch + (instance.beside > 1 ? kBeside : 0.0);
    if (cut.clustered)
        return launch + kCluster + bytes * kClusterByte;
    const double more = cut.activations > kShareable ? kApart : cut.even ? 0.0 : kUneven;
    const double apart = more * static_cast<double>(cut.striped) * unit;
    return launch + apart + static_cast<double>(cut.segments - 1) * kSegment +
           static_cast<double>(cut.parts) * (kPart + bytes * kPartByte) +
           static_cast<double>(cut.sharers - 1) * bytes * kSharedByte;
}

} // namespace marlin::cuda
