// The model of Hopper's own kernels, fitted by least squares to 900 launches of four shapes (docs/kernel.md).
#include "cuda/wgmma_model.h"

#include <algorithm>

#include "cuda/measured.h"

namespace marlin::cuda {
namespace {

constexpr double kLaunch = 2.6;         // and the first copies
constexpr double kSegment = 0.4;        // C of another tile
constexpr double kPart = 1.6;           // a part of a tile: a counter, and who is last adds up
constexpr double kPartByte = 2.9e-5;    // written
constexpr double kCluster = 0.9;        // a cluster, and parts of a tile's sums each way inside it: not measured
constexpr double kSharedByte = 1.45e-5; // read by the last, for each other CTA
// CTAs in whole tiles go along k side by side and share what they read of A; in stripes each is at another place, and
// what exceeds half of the L2 comes from memory again and again (8192 x 28672, M = 1024: 573 us whole, 742 striped).
constexpr int64_t kShareable = 30'000'000;
constexpr double kApart = 0.3; // more for a unit
// Narrow tiles that read the same weights side by side take more out of L2: 2 to 6 % with 128 tokens, M = 256 and 512.
constexpr double kSideBySide = 1.03;

// A unit of an instance.
constexpr Measured kMeasured[] = {
    {8, 64, 0.200},   {8, 256, 0.562},   {16, 64, 0.205},   {16, 256, 0.612},  {32, 64, 0.195},   {32, 128, 0.350},
    {32, 256, 0.642}, {48, 64, 0.220},   {48, 128, 0.388},  {48, 256, 0.745},  {64, 64, 0.247},   {64, 128, 0.446},
    {64, 192, 0.642}, {64, 256, 0.832},  {96, 64, 0.308},   {96, 128, 0.560},  {96, 192, 0.950},  {96, 256, 1.060},
    {128, 64, 0.388}, {128, 128, 0.655}, {128, 192, 0.974}, {128, 256, 1.326}, {256, 128, 1.289},
};

// Where a shape was not measured: the bytes, the products, and what every unit costs.
double estimate(const Instance &instance) {
    const double weights = instance.features * 66.0;
    const double products = 2.0 * instance.features * instance.tokens * 128.0;
    return 0.05 + std::max(weights / 27e3, products / 6.4e6);
}

// How much longer a unit takes where weights are not symmetric in groups of 128; the mean of formats.
double of_format(const Instance &instance, bool offsets) {
    const bool few = instance.tokens <= 64; // weights are scaled, sums of the others
    switch (instance.weights) {
    case Weights::Group128:
        return 1.0;
    case Weights::Rows128:
        return 1.14;
    case Weights::Rows64:
        return 1.2;
    case Weights::Offsets128:
        return few ? 1.25 : 1.1;
    default:
        return offsets ? (instance.tokens <= 32 ? 2.0 : 1.8) : 1.4;
    }
}

} // namespace

double wgmma_unit(const Instance &instance, int64_t token_tiles, bool offsets) {
    const double unit = of_format(instance, offsets) * measured_time(kMeasured, instance).value_or(estimate(instance));
    return token_tiles > 1 && instance.tokens < 256 ? unit * kSideBySide : unit;
}

double wgmma_cost(const Instance &instance, const Cut &cut, double unit) {
    const auto bytes = static_cast<double>(instance.partial_size);
    const double apart = cut.activations > kShareable ? kApart * static_cast<double>(cut.striped) * unit : 0.0;
    if (cut.clustered)
        return kLaunch + kCluster;
    return kLaunch + apart + static_cast<double>(cut.segments - 1) * kSegment +
           static_cast<double>(cut.parts) * (kPart + bytes * kPartByte) +
           static_cast<double>(cut.sharers - 1) * bytes * kSharedByte;
}

} // namespace marlin::cuda
