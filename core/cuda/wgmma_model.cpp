// The model of Hopper's own kernels, fitted to 2500 launches of 28 shapes: to their times by least squares, then in
// small steps to what the choice among them takes (docs/kernel.md).
#include "cuda/wgmma_model.h"

#include <algorithm>
#include <cmath>

#include "cuda/measured.h"

namespace marlin::cuda {
namespace {

constexpr int64_t kColumnBytes = 66; // of a feature in a unit
constexpr int64_t kTokenBytes = 256; // of a token

constexpr double kLaunch = 2.86;        // and the first copies
constexpr double kBeside = 1.5;         // CTAs of a cluster wait for each other's barriers
constexpr double kSegment = 0.71;       // C of another tile
constexpr double kShare = 1.80;         // parts of tiles: a counter, and who is last adds up
constexpr double kFurther = 0.11;       // each CTA of a tile beyond two
constexpr double kPartByte = 3.5e-5;    // written
constexpr double kSharedByte = 1.35e-5; // read by the last, for each other CTA
constexpr double kCluster = 0.42;       // a cluster, and the sums that its CTAs give each other
constexpr double kClusterByte = 1.8e-5;
constexpr double kStream = 4.33e6; // bytes of weights that all CTAs read from memory in a microsecond
// CTAs in whole tiles, and in stripes that are an even cut, go along k side by side and share what they read of A. In
// other stripes each is at another place: an SM then takes no more from L2 in a microsecond than kApart bytes, and so
// many more while all of A is small.
constexpr double kApart = 68e3;
constexpr double kApartSmall = 30e3;
constexpr double kSmall = 2e6; // bytes of A
// What exceeds half of the L2 comes from memory again and again (8192 x 28672, M = 1024: 573 us whole, 742 striped).
constexpr int64_t kShareable = 20'000'000;
constexpr double kAgain = 0.2; // more for a unit
// What takes longer than that (loops over k alone) runs into the power limit, and tiles that read more of A for as many
// products draw more: so much of the rest, for each tile more that 256 features would be.
constexpr double kLong = 40.0;
constexpr double kWide = 256.0;
constexpr double kNarrow = 0.031;
// Narrow tiles that read the same weights side by side take more out of L2.
constexpr double kSideBySide = 1.01;

// A unit of an instance, and how many groups take turns.
constexpr Measured kMeasured[] = {
    {8, 64, 0.138, 2},  {8, 256, 0.425},     {16, 64, 0.145, 2},  {16, 64, 0.127, 3}, {16, 256, 0.525},
    {32, 64, 0.170, 2}, {32, 64, 0.155, 3},  {32, 128, 0.294, 2}, {32, 128, 0.340},   {32, 256, 0.605},
    {48, 64, 0.194, 2}, {48, 64, 0.182, 3},  {48, 128, 0.358, 2}, {48, 256, 0.693},   {64, 64, 0.228, 2},
    {64, 64, 0.212, 3}, {64, 128, 0.456, 2}, {64, 128, 0.445},    {64, 192, 0.620},   {64, 256, 0.789},
    {80, 64, 0.262, 2}, {80, 128, 0.488},    {96, 64, 0.285, 2},  {96, 128, 0.529},   {96, 192, 0.802},
    {96, 256, 1.061},   {112, 64, 0.345, 2}, {112, 128, 0.600},   {112, 256, 1.200},  {128, 64, 0.361, 2},
    {128, 128, 0.655},  {128, 192, 0.990},   {128, 256, 1.319},   {160, 128, 0.860},  {192, 128, 0.955},
    {224, 128, 1.110},  {256, 128, 1.285},   {256, 256, 1.241},
};

// Where a shape was not measured: the bytes, the products, and what every unit costs.
double estimate(const Instance &instance) {
    const auto weights = static_cast<double>(instance.features * kColumnBytes);
    const double products = 2.0 * instance.features * instance.tokens * 128.0;
    return 0.05 + std::max(weights / 27e3, products / 6.4e6);
}

// How much longer a unit takes where weights are not symmetric in groups of 128; the mean of formats.
double of_weights(const Instance &instance) {
    const bool fewest = instance.tokens <= 16;
    const bool few = instance.tokens <= 32;
    switch (instance.weights) {
    case Weights::Group128:
        return 1.0;
    case Weights::Group64:
        return 1.1;
    case Weights::Group32:
        return fewest ? 1.25 : 1.15;
    case Weights::Rows128:
        return instance.tokens == 8 ? 1.28 : fewest ? 1.14 : 1.1;
    case Weights::Rows64:
        return fewest ? 1.24 : 1.2;
    case Weights::Rows32:
        return fewest ? 1.5 : few ? 1.4 : instance.tokens <= 64 ? 1.3 : 1.15;
    case Weights::Offsets128:
        return fewest ? 1.36 : few ? 1.25 : instance.tokens <= 64 ? 1.2 : 1.1;
    default:
        return few ? 2.0 : 1.8;
    }
}

double of_format(const Instance &instance) {
    if (instance.tokens > 128)
        return instance.weights == Weights::Group128 ? 1.0 : 1.01; // nearly all is products
    const double of_type = instance.a_type != Type::BF16 ? 1.0 : instance.tokens <= 16 ? 1.14 : 1.09;
    return of_type * of_weights(instance);
}

// What a unit of a stripe takes more than one of a whole tile.
double apart(const Instance &instance, const Cut &cut, double unit) {
    if (cut.activations > kShareable)
        return unit * kAgain;
    if (cut.even)
        return 0.0;
    const double rate = kApart + kApartSmall * std::exp(-static_cast<double>(cut.activations) / kSmall);
    const auto bytes = static_cast<double>(instance.features * kColumnBytes + instance.tokens * kTokenBytes);
    return std::max(0.0, bytes / rate - unit);
}

} // namespace

double wgmma_unit(const Instance &instance, int64_t token_tiles) {
    const double unit = of_format(instance) * measured_time(kMeasured, instance).value_or(estimate(instance));
    return token_tiles > 1 && instance.tokens < 256 ? unit * kSideBySide : unit;
}

double wgmma_loop(const Instance &instance, int64_t units, double unit, int64_t ctas) {
    const double streamed = static_cast<double>(instance.features * kColumnBytes * ctas) / kStream;
    const double loop = static_cast<double>(units) * std::max(unit, streamed);
    return loop + std::max(0.0, loop - kLong) * kNarrow * (kWide / static_cast<double>(instance.features) - 1.0);
}

double wgmma_cost(const Instance &instance, const Cut &cut, double unit) {
    const auto bytes = static_cast<double>(instance.partial_size);
    const double launch = kLaunch + (instance.beside > 1 ? kBeside : 0.0);
    if (cut.clustered)
        return launch + kCluster + bytes * kClusterByte;
    double us = launch + static_cast<double>(cut.segments - 1) * kSegment;
    if (cut.sharers > 1)
        us += kShare + static_cast<double>(cut.sharers - 2) * kFurther +
              static_cast<double>(cut.parts) * bytes * kPartByte +
              static_cast<double>(cut.sharers - 1) * bytes * kSharedByte;
    return us + static_cast<double>(cut.striped) * apart(instance, cut, unit);
}

} // namespace marlin::cuda
