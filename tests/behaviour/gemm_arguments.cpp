// What a multiply refuses: strides, alignment, overlap, sizes, kinds of weights; nothing is written, and the handle
// goes on.
#include <functional>

#include "support/api_multiply.h"

using namespace marlin::test;

namespace {

// A multiply that works, to be spoilt in one thing at a time.
struct Bench {
    Handle handle;
    TestWeights weights{handle, {.k = 100, .n = 70, .group_size = 32}};
    Multiply multiply{weights.source(), 3};

    // Both the multiply and, where `query_too`, the query must refuse the description.
    void refuse(const std::function<void(marlin_gemm_desc &)> &spoil, std::initializer_list<std::string> parts,
                marlin_status status = MARLIN_INVALID_ARGUMENT, bool query_too = true) {
        const marlin_gemm_desc good = multiply.desc;
        spoil(multiply.desc);
        check_refusal(multiply.run(handle, weights.get()), status, handle, parts);
        CHECK(multiply.c.untouched());
        if (query_too) {
            auto info = with_size<marlin_gemm_info>();
            info.kernel_number = 4711;
            check_refusal(marlin_gemm_query(handle, &multiply.desc, weights.get(), &info), status, handle, parts);
            CHECK(info.kernel_number == 4711);
        }
        multiply.desc = good;
    }
    void refuse_pointers(const void *a, void *c, std::initializer_list<std::string> parts) {
        check_refusal(marlin_gemm(handle, &multiply.desc, a, weights.get(), c), MARLIN_INVALID_ARGUMENT, handle, parts);
        CHECK(multiply.c.untouched());
    }
    ~Bench() {
        CHECK_SUCCESS(handle, multiply.run(handle, weights.get()));
        CHECK(multiply.right());
    }
};

} // namespace

TEST_CASE("strides are 0, or at least a row") {
    Bench bench;
    for (const int64_t lda : {1, 99, -1, -100}) {
        bench.refuse([&](marlin_gemm_desc &desc) { desc.lda = lda; },
                     {"desc.lda is " + std::to_string(lda), "expected 0 or >= k = 100"});
    }
    for (const int64_t ldc : {1, 69, -1, -70}) {
        bench.refuse([&](marlin_gemm_desc &desc) { desc.ldc = ldc; },
                     {"desc.ldc is " + std::to_string(ldc), "expected 0 or >= n = 70"});
    }
    bench.refuse([](marlin_gemm_desc &desc) { desc.lda = INT64_MIN; }, {"desc.lda is -9223372036854775808"});
}

TEST_CASE("m counts rows, from 0 to 2147483647") {
    Bench bench;
    bench.refuse([](marlin_gemm_desc &desc) { desc.m = -1; }, {"desc.m is -1", "expected 0 to 2147483647"});
    bench.refuse([](marlin_gemm_desc &desc) { desc.m = int64_t{1} << 31; },
                 {"desc.m is 2147483648", "expected 0 to 2147483647"});
    bench.refuse([](marlin_gemm_desc &desc) { desc.m = INT64_MIN; }, {"desc.m is -9223372036854775808"});
}

TEST_CASE("sizes beyond 63 bits are refused before anything is computed from them") {
    Bench bench;
    bench.refuse([](marlin_gemm_desc &desc) { desc.lda = INT64_MAX; }, {"the size of a overflows"});
    bench.refuse([](marlin_gemm_desc &desc) { desc.ldc = INT64_MAX / 2 - 100; }, {"the size of c overflows"});
    bench.refuse(
        [](marlin_gemm_desc &desc) {
            desc.m = INT32_MAX;
            desc.lda = int64_t{1} << 33;
        },
        {"the size of a overflows", "2147483646 * 8589934592"});
}

TEST_CASE("m = 0 succeeds with or without operands and writes nothing") {
    Bench bench;
    bench.multiply.desc.m = 0;
    CHECK_SUCCESS(bench.handle, bench.multiply.run(bench.handle, bench.weights.get()));
    CHECK_SUCCESS(bench.handle, marlin_gemm(bench.handle, &bench.multiply.desc, nullptr, bench.weights.get(), nullptr));
    auto info = with_size<marlin_gemm_info>();
    CHECK_SUCCESS(bench.handle, marlin_gemm_query(bench.handle, &bench.multiply.desc, bench.weights.get(), &info));
    CHECK(bench.multiply.c.untouched());
    bench.multiply.desc.lda = 5; // still checked
    CHECK_REFUSED(bench.handle, MARLIN_INVALID_ARGUMENT, bench.multiply.run(bench.handle, bench.weights.get()),
                  "desc.lda is 5");
    bench.multiply.desc.lda = 0;
    bench.multiply.desc.m = 3;
}

TEST_CASE("A, C and bias are aligned to their elements") {
    Bench bench;
    const auto *a = reinterpret_cast<const char *>(bench.multiply.a.data());
    char *c = bench.multiply.c.as<char>();
    bench.refuse_pointers(a + 1, c, {"a is 0x", "expected a multiple of 2 bytes"});
    for (const int offset : {1, 2, 3})
        bench.refuse_pointers(a, c + offset, {"c is 0x", "expected a multiple of 4 bytes"});
    const GuardedBuffer bias(70 * 4);
    bench.multiply.desc.bias = static_cast<const char *>(bias.data()) + 2; // F32, as C
    bench.refuse_pointers(a, c, {"desc.bias is 0x", "expected a multiple of 4 bytes"});
    bench.multiply.desc.bias = nullptr;
}

TEST_CASE("C must not overlap A, the packed weights, or bias") {
    Bench bench;
    const size_t c_size = bench.multiply.c.size();
    GuardedBuffer memory(64 * 1024);
    char *const base = memory.as<char>();
    const auto refused = [&](const char *a, char *c, std::initializer_list<std::string> parts) {
        bench.refuse_pointers(a, c, parts);
        CHECK(memory.untouched());
    };
    constexpr int64_t a_size = 3 * 100 * 2;
    refused(base, base, {"c overlaps a", std::to_string(c_size) + " bytes", "600 bytes"});
    refused(base + c_size - 4, base, {"c overlaps a"});
    refused(base, base + a_size - 4, {"c overlaps a"});

    char *const packed = bench.weights.packed().as<char>();
    const auto *a = reinterpret_cast<const char *>(bench.multiply.a.data());
    const auto *source_bytes = static_cast<const char *>(bench.weights.get()->data);
    REQUIRE(source_bytes == packed);
    refused(a, packed, {"c overlaps b"});
    refused(a, packed + bench.weights.get()->data_size - 4, {"c overlaps b"});
    refused(a, packed - c_size + 4, {"c overlaps b"});

    bench.multiply.desc.bias = base + c_size - 4;
    refused(a, base, {"c overlaps desc.bias"});
    bench.multiply.desc.bias = base;
    refused(a, base + 70 * 4 - 4, {"c overlaps desc.bias"});

    // Neighbours do not overlap.
    std::memset(base, 0, 4096);
    bench.multiply.desc.bias = nullptr;
    CHECK_SUCCESS(bench.handle, marlin_gemm(bench.handle, &bench.multiply.desc, base, bench.weights.get(), base + 600));
    bench.multiply.desc.bias = base + 600 + c_size;
    CHECK_SUCCESS(bench.handle, marlin_gemm(bench.handle, &bench.multiply.desc, base, bench.weights.get(), base + 600));
    bench.multiply.desc.bias = nullptr;
}

TEST_CASE("rows of A and C may be further apart, and nothing between rows of C is written") {
    const Handle handle;
    TestWeights weights(handle, {.k = 70, .n = 33, .group_size = 32, .zero_type = MARLIN_TYPE_U8});
    Multiply tight(weights.source(), 4);
    CHECK_SUCCESS(handle, tight.run(handle, weights.get()));
    REQUIRE(tight.right());
    const std::vector<float> expected = tight.result();

    constexpr int64_t lda = 83;
    constexpr int64_t ldc = 41;
    std::vector<uint16_t> a(3 * lda + 70, 0x7e00); // NaN in the gaps
    for (size_t row = 0; row < 4; ++row)
        std::copy_n(tight.a.begin() + static_cast<std::ptrdiff_t>(row * 70), 70,
                    a.begin() + static_cast<std::ptrdiff_t>(row * lda));
    GuardedBuffer c((3 * ldc + 33) * sizeof(float));
    marlin_gemm_desc desc = tight.desc;
    desc.lda = lda;
    desc.ldc = ldc;
    CHECK_SUCCESS(handle, marlin_gemm(handle, &desc, a.data(), weights.get(), c.data()));
    CHECK(c.fences_intact());
    for (size_t row = 0; row < 4; ++row) {
        const size_t begin = row * ldc * sizeof(float);
        CHECK(std::memcmp(c.as<char>() + begin, expected.data() + row * 33, 33 * sizeof(float)) == 0);
        if (row < 3)
            CHECK(c.untouched(begin + 33 * sizeof(float), begin + ldc * sizeof(float)));
    }
}

TEST_CASE("dense and 2:4 weights have a multiply each") {
    const Handle handle;
    TestWeights dense(handle, {});
    TestWeights sparse(handle, {.sparse = true});
    Multiply multiply(dense.source(), 2);
    CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT,
                  marlin_gemm(handle, &multiply.desc, multiply.a.data(), sparse.get(), multiply.c.data()),
                  "b is 2:4 sparse, expected dense weights", "call marlin_sp_gemm");
    CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT,
                  marlin_sp_gemm(handle, &multiply.desc, multiply.a.data(), dense.get(), multiply.c.data()),
                  "b is dense, expected 2:4 sparse weights", "call marlin_gemm");
    CHECK(multiply.c.untouched());
    CHECK_SUCCESS(handle, multiply.run(handle, dense.get()));
    CHECK(multiply.right());
    Multiply sparse_multiply(sparse.source(), 2);
    CHECK_SUCCESS(handle, sparse_multiply.run(handle, sparse.get()));
    CHECK(sparse_multiply.right());
}

TEST_CASE("what later versions bring is not supported yet") {
    Bench bench;
    const float one = 1.0f;
    bench.refuse([&](marlin_gemm_desc &desc) { desc.a_scales = &one; }, {"desc.a_scales is given"},
                 MARLIN_NOT_SUPPORTED);
    bench.refuse([&](marlin_gemm_desc &desc) { desc.mask = &one; }, {"desc.mask is given"}, MARLIN_NOT_SUPPORTED);
    TestWeights scaled(bench.handle, {.k = 100, .n = 70, .group_size = 32, .column_scales = true});
    REQUIRE(scaled.get()->column_scales != nullptr);
    CHECK_REFUSED(bench.handle, MARLIN_NOT_SUPPORTED, bench.multiply.run(bench.handle, scaled.get()), "column_scales");
    CHECK(bench.multiply.c.untouched());
}
