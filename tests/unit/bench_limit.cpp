// The arithmetic of limits.
#include "bench/limit.h"
#include "support/catch.h"

using namespace marlin;
using namespace marlin::bench;

TEST_CASE("few tokens are limited by bytes, many by operations") {
    const Problem few = problem_from_text("gemm f16 s4 g128 m16 n8192 k8192");
    CHECK(bytes_beside_weights(few) == 16 * (8192 + 8192) * 2);
    // The bytes beside the weights stretch the time of reading the weights.
    CHECK(limit_us(few, 1000000, 10.0, 990.0) == Approx(10.0 * (1000000.0 + 524288.0) / 1000000.0));
    const Problem many = problem_from_text("gemm f16 s4 g128 m4096 n8192 k8192");
    CHECK(limit_us(many, 34603264, 9.5, 990.0) == Approx(2.0 * 4096.0 * 8192.0 * 8192.0 / 990e12 * 1e6));
    const Problem sparse = problem_from_text("sp_gemm f16 s4 g128 m4096 n8192 k8192");
    CHECK(limit_us(sparse, 26214656, 7.5, 990.0) == Approx(4096.0 * 8192.0 * 8192.0 / 990e12 * 1e6));
    // Without a known peak only the bytes count.
    CHECK(limit_us(many, 34603264, 9.5, 0.0) < 60.0);
}

TEST_CASE("outputs of another type count by their own size") {
    const Problem problem = problem_from_text("gemm bf16 s4 g128 m2 n100 k200 cf32");
    CHECK(bytes_beside_weights(problem) == 2 * 200 * 2 + 2 * 100 * 4);
}

TEST_CASE("ceilings measured earlier are given for sizes between them, on that GPU alone") {
    const auto bytes = [](int64_t n, int64_t k) { return n * k / 2 + n * k / 64 + 256; };
    CHECK(known_read_us("NVIDIA H200", bytes(4096, 4096)).value() == Approx(3.63).epsilon(0.001));
    CHECK(known_read_us("NVIDIA H200", bytes(8192, 8192)).value() == Approx(9.49).epsilon(0.001));
    CHECK(known_read_us("NVIDIA H200", bytes(73728, 18432)).value() == Approx(158.0).epsilon(0.001));
    double last = 0.0;
    for (int64_t size = 9000000; size < 700000000; size += 1000000) {
        const double us = known_read_us("NVIDIA H200", size).value();
        REQUIRE(us > last);
        last = us;
    }
    CHECK(!known_read_us("NVIDIA H200", 1000000));
    CHECK(!known_read_us("NVIDIA H200", 900000000));
    CHECK(!known_read_us("NVIDIA A100-SXM4-80GB", bytes(8192, 8192)));
}

TEST_CASE("the tensor peak is known where the data sheet was read") {
    CHECK(tensor_peak("NVIDIA H200") == 990.0);
    CHECK(tensor_peak("NVIDIA H100 80GB HBM3") == 990.0);
    CHECK(tensor_peak("NVIDIA A100-SXM4-80GB") == 312.0);
    CHECK(tensor_peak("Some other GPU") == 0.0);
}
