// The sampled outputs in FP64.
#include "exact.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "layout/element.h"

namespace marlin::bench {
namespace {

constexpr int64_t kRows = 8;
constexpr int kSamples = 32;

double weight(const WeightsView &view, const Element &element, int64_t k, int64_t n) {
    const int64_t group = view.geometry.group_of(k);
    const ZeroAndOffset zero = read_zero(view, group, n);
    return (static_cast<double>(element.code) - static_cast<double>(zero.zero)) *
               static_cast<double>(read_scale(view, group, n)) +
           static_cast<double>(zero.offset);
}

double exact_output(const Problem &problem, const WeightsView &view, const std::byte *a, int64_t n) {
    const int64_t rows = view.perm != nullptr ? view.shape().k_packed : problem.k;
    double sum = 0.0;
    for (int64_t k = 0; k < rows; ++k) {
        const int64_t source = view.perm != nullptr ? view.perm[k] : k;
        const Element element = source < 0 ? Element{0, true} : read_element(view, k, n);
        if (!element.pruned)
            sum += weight(view, element, k, n) *
                   static_cast<double>(read_value(a + source * size_of(problem.a_type), problem.a_type));
    }
    return sum;
}

} // namespace

std::vector<int64_t> sample_rows(int64_t m) {
    std::vector<int64_t> rows;
    const int64_t count = std::min(m, kRows);
    for (int64_t i = 0; i < count; ++i)
        rows.push_back(count == 1 ? 0 : i * (m - 1) / (count - 1));
    return rows;
}

double max_relative_error(const Problem &problem, const WeightsView &weights, const SampledRows &sample) {
    std::mt19937 random(4);
    double worst = 0.0;
    double largest = 0.0;
    for (int i = 0; i < kSamples; ++i) {
        const int64_t row = i % static_cast<int64_t>(sample.rows.size());
        const int64_t n = random() % static_cast<uint64_t>(problem.n);
        double exact = exact_output(problem, weights, sample.a.data() + row * problem.k * size_of(problem.a_type), n);
        if (!sample.bias.empty())
            exact += read_value(sample.bias.data() + n * size_of(problem.bias_type), problem.bias_type);
        const double got =
            read_value(sample.c.data() + (row * problem.n + n) * size_of(problem.c_type), problem.c_type);
        worst = std::max(worst, std::isfinite(got) ? std::abs(got - exact) : INFINITY);
        largest = std::max(largest, std::abs(exact));
    }
    return largest == 0.0 ? worst : worst / largest;
}

} // namespace marlin::bench
