// Fenced operands and the comparison with the oracle.
#include "numerics/run.h"

#include <cmath>
#include <limits>

#include "common/error.h"
#include "layout/element.h"

namespace marlin::test {
namespace {

constexpr std::byte kPoison{0xa5};

float activation(Fill fill, Random &random, Type type, int64_t m, int64_t k, int64_t columns) {
    switch (fill) {
    case Fill::Arange:
        return static_cast<float>((m * 7 + k) % 33 - 16) * 0.25f;
    case Fill::OneHot:
        return k == (m * 37 + 5) % columns ? 1.0f : 0.0f;
    case Fill::Extreme: {
        // Halves down to their subnormals, wide types over much of their range; C may overflow.
        const int low = type == Type::F16 ? -24 : -100;
        const int high = type == Type::F16 ? 15 : 60;
        return std::ldexp(random.uniform(-1.0f, 1.0f), static_cast<int>(random.below(high - low)) + low);
    }
    default:
        return random.normal();
    }
}

} // namespace

Operands::Operands(const Problem &problem, Fill fill, uint64_t seed) : problem_(problem) {
    Random random(seed);
    const int64_t element = size_of(problem.a_type);
    a_.resize(static_cast<size_t>(((problem.m - 1) * problem.lda + problem.k) * element));
    const auto a_count = static_cast<int64_t>(a_.size()) / element;
    for (int64_t i = 0; i < a_count; ++i) {
        const int64_t m = i / problem.lda;
        const int64_t k = i % problem.lda;
        const float value = k < problem.k ? activation(fill, random, problem.a_type, m, k, problem.k)
                                          : std::numeric_limits<float>::quiet_NaN();
        store_value(a_.data() + i * element, problem.a_type, value);
    }
    if (problem.bias) {
        bias_.resize(static_cast<size_t>(problem.n * size_of(problem.bias_type)));
        for (int64_t n = 0; n < problem.n; ++n)
            store_value(bias_.data() + n * size_of(problem.bias_type), problem.bias_type, random.normal());
    }
    const int64_t c_elements = (problem.m - 1) * problem.ldc + problem.n;
    c_.resize(static_cast<size_t>(c_elements * size_of(problem.c_type) + 2 * kGuard));
    poison_c();
}

void Operands::poison_c() {
    std::fill(c_.begin(), c_.end(), kPoison);
}

GemmOperands Operands::get() {
    GemmOperands operands;
    operands.a = a_.data();
    operands.c = c_.data() + kGuard;
    operands.bias = bias();
    operands.lda = problem_.lda;
    operands.ldc = problem_.ldc;
    return operands;
}

std::byte *Operands::row_of_a(int64_t m) {
    return a_.data() + m * problem_.lda * size_of(problem_.a_type);
}

float Operands::c(int64_t m, int64_t n) const {
    return read_value(c_.data() + kGuard + (m * problem_.ldc + n) * size_of(problem_.c_type), problem_.c_type);
}

std::vector<std::byte> Operands::row_of_c(int64_t m) const {
    const std::byte *row = c_.data() + kGuard + m * problem_.ldc * size_of(problem_.c_type);
    return {row, row + problem_.n * size_of(problem_.c_type)};
}

std::string Operands::fence_damage() const {
    const int64_t element = size_of(problem_.c_type);
    for (size_t i = 0; i < c_.size(); ++i) {
        const int64_t offset = static_cast<int64_t>(i) - kGuard;
        const bool outside = offset < 0 || i >= c_.size() - kGuard;
        const bool gap = !outside && offset / element % problem_.ldc >= problem_.n;
        if ((outside || gap) && c_[i] != kPoison)
            return fmt::format("byte {} of C was written, which is outside its {} x {} elements", offset, problem_.m,
                               problem_.n);
    }
    return {};
}

std::vector<int64_t> isas_here() {
    const std::unique_ptr<Backend> backend = make_backend();
    std::vector<int64_t> isas;
    for (int64_t isa = 1; isa <= 4; ++isa) {
        try {
            backend->set_option(Option::CpuIsa, isa);
            isas.push_back(isa);
        } catch (const Error &) {
            break; // higher ones are not there either
        }
    }
    return isas;
}

std::unique_ptr<Backend> make_backend(int64_t isa, int32_t threads) {
    BackendConfig config;
    config.num_threads = threads;
    std::unique_ptr<Backend> backend = make_cpu_backend(config);
    backend->set_option(Option::CpuIsa, isa);
    return backend;
}

std::string check(Backend &backend, const Problem &problem, Layout layout, Fill fill, uint64_t seed) {
    const Weights weights = make_weights(problem, layout, fill, seed);
    Operands operands(problem, fill, seed + 1);
    backend.gemm(problem, operands.get(), weights.view);
    const std::string where =
        fmt::format("{} # {}, layout {}, fill {}, seed {}", to_text(problem),
                    backend.plan(problem, weights.view).kernel, to_string(layout), static_cast<int>(fill), seed);
    const std::string damage = operands.fence_damage();
    if (!damage.empty())
        return fmt::format("{}: {}", where, damage);
    const Oracle oracle(problem, weights.view);
    for (int64_t m = 0; m < problem.m; ++m) {
        const std::vector<Expected> expected = oracle.row(operands.row_of_a(m), operands.bias());
        for (int64_t n = 0; n < problem.n; ++n) {
            const Expected &e = expected[static_cast<size_t>(n)];
            if (!close(operands.c(m, n), e, problem.c_type))
                return fmt::format("{}: c[{}, {}] is {}, expected {} within {} and one rounding", where, m, n,
                                   operands.c(m, n), e.value, e.slack);
        }
    }
    return {};
}

} // namespace marlin::test
