// Options of a CPU handle: values kept, instruction sets capped, kernels forced, and bits that depend on none of it
// that they should not depend on.
#include <cstring>
#include <map>

#include "support/api_multiply.h"

using namespace marlin::test;

namespace {

int64_t get(marlin_handle_t handle, marlin_option option) {
    int64_t value = -1;
    CHECK_SUCCESS(handle, marlin_handle_get_option(handle, option, &value));
    return value;
}

marlin_gemm_info query(marlin_handle_t handle, const Multiply &multiply, const TestWeights &weights) {
    auto info = with_size<marlin_gemm_info>();
    CHECK_SUCCESS(handle, marlin_gemm_query(handle, &multiply.desc, weights.get(), &info));
    return info;
}

const char *const kIsaNames[] = {"", "reference", "avx2", "avx512", "avx512_bf16"};

// The instruction sets that this machine has, reference included.
std::vector<int64_t> instruction_sets() {
    const Handle handle;
    std::vector<int64_t> result;
    for (int64_t isa = MARLIN_CPU_ISA_REFERENCE; isa <= MARLIN_CPU_ISA_AVX512_BF16; ++isa)
        if (marlin_handle_set_option(handle, MARLIN_OPTION_CPU_ISA, isa) == MARLIN_SUCCESS)
            result.push_back(isa);
    return result;
}

} // namespace

TEST_CASE("options start at 0 and keep what they are set to") {
    const Handle handle(cpu_desc(0));
    for (int option = MARLIN_OPTION_MATH; option <= MARLIN_OPTION_DEPENDENT_LAUNCH; ++option)
        CHECK(get(handle, static_cast<marlin_option>(option)) == 0);
    for (const int64_t math : {MARLIN_MATH_BATCH_INVARIANT, MARLIN_MATH_DEFAULT}) {
        CHECK_SUCCESS(handle, marlin_handle_set_option(handle, MARLIN_OPTION_MATH, math));
        CHECK(get(handle, MARLIN_OPTION_MATH) == math);
    }
    for (const int64_t threads : {3, 1, 0}) {
        CHECK_SUCCESS(handle, marlin_handle_set_option(handle, MARLIN_OPTION_NUM_THREADS, threads));
        CHECK(get(handle, MARLIN_OPTION_NUM_THREADS) == threads);
        CHECK((threads == 0 || info_of(handle).num_threads == threads));
    }
    CHECK(info_of(handle).num_threads == info_of(Handle(cpu_desc(0))).num_threads);
    for (const marlin_option of_cuda : {MARLIN_OPTION_SM_COUNT, MARLIN_OPTION_DEPENDENT_LAUNCH})
        CHECK_SUCCESS(handle, marlin_handle_set_option(handle, of_cuda, 0));
    CHECK(get(Handle(cpu_desc(5)), MARLIN_OPTION_NUM_THREADS) == 5);
}

TEST_CASE("an instruction set caps the choice, and one that the machine lacks is not supported") {
    const Handle handle;
    TestWeights dense(handle, {});
    TestWeights sparse(handle, {.sparse = true});
    const std::vector<int64_t> present = instruction_sets();
    REQUIRE(present.front() == MARLIN_CPU_ISA_REFERENCE);
    CHECK(std::string(info_of(handle).name) == kIsaNames[present.back()]);
    for (int64_t isa = MARLIN_CPU_ISA_REFERENCE; isa <= MARLIN_CPU_ISA_AVX512_BF16; ++isa) {
        const marlin_status status = marlin_handle_set_option(handle, MARLIN_OPTION_CPU_ISA, isa);
        if (isa > present.back()) {
            CHECK_REFUSED(handle, MARLIN_NOT_SUPPORTED, status, "isa is " + std::to_string(isa), kIsaNames[isa],
                          std::string("expected at most ") + std::to_string(present.back()));
            CHECK(get(handle, MARLIN_OPTION_CPU_ISA) == present.back());
            continue;
        }
        CHECK_SUCCESS(handle, status);
        CHECK(get(handle, MARLIN_OPTION_CPU_ISA) == isa);
        CHECK(std::string(info_of(handle).name) == kIsaNames[isa]);
        for (TestWeights *weights : {&dense, &sparse}) {
            Multiply multiply(weights->source(), 5);
            const marlin_gemm_info info = query(handle, multiply, *weights);
            CAPTURE(info.kernel, info.why);
            CHECK(std::string(info.kernel).find(kIsaNames[isa]) != std::string::npos);
            CHECK((info.slow != 0) == (isa == MARLIN_CPU_ISA_REFERENCE));
            CHECK_SUCCESS(handle, multiply.run(handle, weights->get()));
            CHECK(multiply.right());
        }
    }
    CHECK_SUCCESS(handle, marlin_handle_set_option(handle, MARLIN_OPTION_CPU_ISA, MARLIN_CPU_ISA_BEST));
    CHECK(std::string(info_of(handle).name) == kIsaNames[present.back()]);
}

TEST_CASE("a kernel forced by its number runs, or the call is not supported") {
    const Handle handle;
    TestWeights dense(handle, {});
    TestWeights sparse(handle, {.sparse = true});
    std::map<int32_t, std::string> dense_kernels;
    std::map<int32_t, std::string> sparse_kernels;
    Multiply multiply(dense.source(), 3);
    Multiply sparse_multiply(sparse.source(), 3);
    for (const int64_t isa : instruction_sets()) {
        CHECK_SUCCESS(handle, marlin_handle_set_option(handle, MARLIN_OPTION_CPU_ISA, isa));
        const marlin_gemm_info of_dense = query(handle, multiply, dense);
        const marlin_gemm_info of_sparse = query(handle, sparse_multiply, sparse);
        dense_kernels[of_dense.kernel_number] = of_dense.kernel;
        sparse_kernels[of_sparse.kernel_number] = of_sparse.kernel;
    }
    CHECK_SUCCESS(handle, marlin_handle_set_option(handle, MARLIN_OPTION_CPU_ISA, MARLIN_CPU_ISA_BEST));
    CHECK(dense_kernels.size() == instruction_sets().size());

    for (const auto &[number, name] : dense_kernels) {
        CAPTURE(number, name);
        CHECK(number != 0);
        CHECK_SUCCESS(handle, marlin_handle_set_option(handle, MARLIN_OPTION_KERNEL, number));
        CHECK(get(handle, MARLIN_OPTION_KERNEL) == number);
        multiply.c.poison();
        const marlin_gemm_info info = query(handle, multiply, dense);
        CHECK(info.kernel_number == number);
        CHECK(info.kernel == name);
        CHECK_SUCCESS(handle, multiply.run(handle, dense.get()));
        CHECK(multiply.right());
        if (sparse_kernels.count(number) != 0)
            continue;
        sparse_multiply.c.poison();
        CHECK_REFUSED(handle, MARLIN_NOT_SUPPORTED, sparse_multiply.run(handle, sparse.get()),
                      "kernel is " + std::to_string(number), "expected 0");
        CHECK(sparse_multiply.c.untouched());
        auto unfilled = with_size<marlin_gemm_info>();
        CHECK_REFUSED(handle, MARLIN_NOT_SUPPORTED,
                      marlin_gemm_query(handle, &sparse_multiply.desc, sparse.get(), &unfilled),
                      "kernel is " + std::to_string(number));
        CHECK(unfilled.kernel_number == 0);
    }
    // A forced kernel does not lift the cap on instruction sets.
    if (dense_kernels.size() > 1) {
        CHECK_SUCCESS(handle, marlin_handle_set_option(handle, MARLIN_OPTION_KERNEL, dense_kernels.rbegin()->first));
        CHECK_SUCCESS(handle, marlin_handle_set_option(handle, MARLIN_OPTION_CPU_ISA, MARLIN_CPU_ISA_REFERENCE));
        multiply.c.poison();
        CHECK_REFUSED(handle, MARLIN_NOT_SUPPORTED, multiply.run(handle, dense.get()), "kernel is ");
        CHECK(multiply.c.untouched());
    }
    CHECK_SUCCESS(handle, marlin_handle_set_option(handle, MARLIN_OPTION_CPU_ISA, MARLIN_CPU_ISA_BEST));
    CHECK_SUCCESS(handle, marlin_handle_set_option(handle, MARLIN_OPTION_KERNEL, 0));
    CHECK_SUCCESS(handle, sparse_multiply.run(handle, sparse.get()));
    CHECK(sparse_multiply.right());
}

TEST_CASE("bits depend neither on the number of threads, nor on the run, nor on other rows") {
    const Handle handle;
    const WeightSpec specs[] = {
        {.k = 300, .n = 200, .group_size = 32, .zero_type = MARLIN_TYPE_U8},
        {.k = 512, .n = 130, .group_size = 128, .zero_type = MARLIN_TYPE_F32},
        {.k = 256, .n = 100, .group_size = -1, .sparse = true},
        {.k = 256, .n = 70, .group_size = 64, .act_order = true},
    };
    for (const WeightSpec &spec : specs)
        for (const int64_t isa : instruction_sets()) {
            CHECK_SUCCESS(handle, marlin_handle_set_option(handle, MARLIN_OPTION_CPU_ISA, isa));
            TestWeights weights(handle, spec);
            constexpr int64_t m = 11;
            Multiply whole(weights.source(), m);
            CHECK_SUCCESS(handle, whole.run(handle, weights.get()));
            CHECK(whole.right());
            const std::vector<float> expected = whole.result();
            for (const int64_t threads : {1, 2, 3, 7}) {
                CHECK_SUCCESS(handle, marlin_handle_set_option(handle, MARLIN_OPTION_NUM_THREADS, threads));
                for (int run = 0; run < 3; ++run) {
                    whole.c.poison();
                    CHECK_SUCCESS(handle, whole.run(handle, weights.get()));
                    CHECK(std::memcmp(whole.c.data(), expected.data(), whole.c.size()) == 0);
                }
            }
            for (const int64_t math : {MARLIN_MATH_BATCH_INVARIANT, MARLIN_MATH_DEFAULT}) {
                CHECK_SUCCESS(handle, marlin_handle_set_option(handle, MARLIN_OPTION_MATH, math));
                for (int64_t rows = 1; rows < m; ++rows) {
                    marlin_gemm_desc desc = whole.desc;
                    desc.m = rows;
                    const int64_t first = m - rows; // the last rows of A, so that each gets another place
                    whole.c.poison();
                    const auto call = spec.sparse ? marlin_sp_gemm : marlin_gemm;
                    CHECK_SUCCESS(handle,
                                  call(handle, &desc, whole.a.data() + first * spec.k, weights.get(), whole.c.data()));
                    CHECK(std::memcmp(whole.c.data(), expected.data() + first * spec.n,
                                      static_cast<size_t>(rows * spec.n) * sizeof(float)) == 0);
                }
            }
        }
}
