// Operands on a GPU, and the comparison with the oracle.
#include "numerics/cuda_run.h"

#include <cmath>

#include "common/error.h"
#include "layout/element.h"
#include "support/catch.h"

namespace marlin::test {
namespace {

// What a kernel may add to the oracle's slack where it rounds the scale, the offset and the scaled weight to the type
// of A, half a unit in the last place each, and in the range of subnormals half of the smallest step: of a scale that
// counts sixteenfold, of the offset and of the weight.
struct Rounding {
    double relative = 0.0; // of every weight's terms
    double absolute = 0.0; // of every weight
};
Rounding rounding_of_weights(const Problem &p, std::string_view kernel) {
    // Slabs of 2:4 weights in groups of 128 scale sums: their weights are exact.
    if (kernel.find("sp_slab") != std::string_view::npos && kernel.find("group128") != std::string_view::npos)
        return {};
    if (p.a_type == Type::BF16)
        return {2.0 * 0x1p-8, 18.0 * 0x1p-134};
    return {2.0 * 0x1p-11, 18.0 * 0x1p-25};
}

double sum_of_sizes(const std::byte *a, const Problem &p) {
    double sum = 0.0;
    for (int64_t k = 0; k < p.k; ++k)
        sum += std::abs(static_cast<double>(read_value(a + k * size_of(p.a_type), p.a_type)));
    return sum;
}

} // namespace

OnDevice::OnDevice(const Problem &problem, Operands &operands, const Weights &weights)
    : a(0, operands.a_bytes().size()), c(0, operands.c_bytes().size()), packed(0, weights.storage.size()),
      bias(0, problem.bias ? static_cast<size_t>(problem.n * size_of(problem.bias_type)) : 0) {
    send_a(operands);
    send_c(operands);
    cuda::copy_to_device(packed.data(), weights.storage.data(), weights.storage.size(), nullptr);
    if (problem.bias)
        cuda::copy_to_device(bias.data(), operands.bias(), bias.size(), nullptr);
    view = weights.view;
    const auto moved = [&](const void *pointer) {
        return static_cast<std::byte *>(packed.data()) +
               (static_cast<const std::byte *>(pointer) - weights.storage.data());
    };
    view.body = moved(weights.view.body);
    if (view.perm != nullptr)
        view.perm = reinterpret_cast<const int32_t *>(moved(weights.view.perm));
    get = operands.get();
    get.a = a.data();
    get.c = static_cast<std::byte *>(c.data()) + Operands::kGuard;
    get.bias = problem.bias ? bias.data() : nullptr;
}

void OnDevice::fetch_c(Operands &operands) const {
    cuda::copy_to_host(operands.c_bytes().data(), c.data(), operands.c_bytes().size(), nullptr);
}

void OnDevice::send_c(Operands &operands) {
    cuda::copy_to_device(c.data(), operands.c_bytes().data(), operands.c_bytes().size(), nullptr);
}

void OnDevice::send_a(const Operands &operands) {
    cuda::copy_to_device(a.data(), operands.a_bytes().data(), operands.a_bytes().size(), nullptr);
}

std::unique_ptr<Backend> cuda_backend() {
    return make_cuda_backend(BackendConfig());
}

Layout cuda_layout(const Problem &problem) {
    return problem.sparse ? Layout::Sparse24Draft : Layout::Dense;
}

Problem from_text(std::string_view text) {
    Problem problem = problem_from_text(text);
    if (problem.bias_type == Type::None)
        problem.bias_type = problem.c_type;
    return problem;
}

std::string check_on_device(Backend &backend, const Problem &problem, Fill fill, uint64_t seed) {
    const Weights weights = make_weights(problem, cuda_layout(problem), fill, seed);
    Operands operands(problem, fill, seed + 1);
    OnDevice device(problem, operands, weights);
    backend.gemm(problem, device.get, device.view);
    device.fetch_c(operands);
    const std::string kernel = backend.plan(problem, device.view).kernel;
    const std::string where =
        fmt::format("{} # {}, fill {}, seed {}", to_text(problem), kernel, static_cast<int>(fill), seed);
    const std::string damage = operands.fence_damage();
    if (!damage.empty())
        return fmt::format("{}: {}", where, damage);
    const Oracle oracle(problem, weights.view);
    const Rounding rounding = rounding_of_weights(problem, kernel);
    for (int64_t m = 0; m < problem.m; ++m) {
        const std::vector<Expected> expected = oracle.row(operands.row_of_a(m), operands.bias());
        const double of_subnormals = rounding.absolute * sum_of_sizes(operands.row_of_a(m), problem);
        for (int64_t n = 0; n < problem.n; ++n) {
            Expected e = expected[static_cast<size_t>(n)];
            e.slack += rounding.relative * e.weights + of_subnormals;
            if (!close(operands.c(m, n), e, problem.c_type))
                return fmt::format("{}: c[{}, {}] is {}, expected {} within {} and one rounding", where, m, n,
                                   operands.c(m, n), e.value, e.slack);
        }
    }
    return {};
}

void check_all(Backend &backend, const std::vector<Problem> &problems) {
    uint64_t seed = 1;
    for (const Problem &problem : problems)
        if (problem.a_type != Type::F32)
            for (const Fill fill : {Fill::Random, Fill::Arange, Fill::OneHot})
                CHECK(check_on_device(backend, problem, fill, ++seed) == "");
}

} // namespace marlin::test
