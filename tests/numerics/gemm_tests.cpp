// Every kernel of this machine against the FP64 oracle.
#include "numerics/cases.h"
#include "numerics/run.h"
#include "support/catch.h"

using namespace marlin;
using namespace marlin::test;

namespace {

void check_all(const std::vector<Problem> &problems, Layout layout, int64_t isa) {
    const std::unique_ptr<Backend> backend = make_backend(isa);
    uint64_t seed = 1;
    for (const Problem &problem : problems)
        for (const Fill fill : kFills)
            CHECK(check(*backend, problem, layout, fill, ++seed) == "");
}

} // namespace

TEST_CASE("Every format multiplies right in every kernel") {
    for (const int64_t isa : isas_here()) {
        check_all(all_formats(false), Layout::CpuDraft, isa);
        check_all(all_formats(true), Layout::CpuSparse24Draft, isa);
    }
}

TEST_CASE("Every number of rows and ragged sizes multiply right in every kernel") {
    for (const int64_t isa : isas_here()) {
        check_all(all_sizes(false), Layout::CpuDraft, isa);
        check_all(all_sizes(true), Layout::CpuSparse24Draft, isa);
    }
}

TEST_CASE("Problems drawn from all fields at once multiply right in every kernel") {
    for (const int64_t isa : isas_here()) {
        check_all(drawn(false, 100, 11), Layout::CpuDraft, isa);
        check_all(drawn(true, 100, 12), Layout::CpuSparse24Draft, isa);
    }
}

TEST_CASE("The layouts for GPUs multiply right on the CPU") {
    check_all(drawn(false, 60, 13), Layout::Dense, 0);
    check_all(drawn(true, 60, 14), Layout::Sparse24Draft, 0);
}

TEST_CASE("The oracle notices a wrong code, scale, row and column") {
    Problem problem = problem_from_text("gemm f16 s4 g32 m2 n65 k96");
    problem.bias_type = Type::F16;
    const Weights right = make_weights(problem, Layout::CpuDraft, Fill::Random, 5);
    Operands operands(problem, Fill::Random, 6);
    const std::unique_ptr<Backend> backend = make_backend();
    const Oracle oracle(problem, right.view);
    const auto bad_elements = [&](const WeightsView &view) {
        operands.poison_c();
        backend->gemm(problem, operands.get(), view);
        int bad = 0;
        for (int64_t m = 0; m < problem.m; ++m) {
            const std::vector<Expected> expected = oracle.row(operands.row_of_a(m), nullptr);
            for (int64_t n = 0; n < problem.n; ++n)
                bad += close(operands.c(m, n), expected[static_cast<size_t>(n)], problem.c_type) ? 0 : 1;
        }
        return bad;
    };
    CHECK(bad_elements(right.view) == 0);

    Weights wrong = right;
    wrong.view.body = wrong.storage.data();
    const Geometry &g = wrong.view.geometry;
    wrong.storage[static_cast<size_t>(g.code(40, 64).byte)] ^= std::byte{0x11};
    CHECK(bad_elements(wrong.view) == problem.m); // one feature in every row

    wrong.storage = right.storage;
    wrong.view.body = wrong.storage.data();
    wrong.storage[static_cast<size_t>(g.scale(2, 7) + 1)] ^= std::byte{0x04};
    CHECK(bad_elements(wrong.view) == problem.m);
}
