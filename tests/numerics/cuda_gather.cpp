// The gather of A alone against a plain loop, and multiplies that begin with one against the oracle.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "cuda/check.h"
#include "cuda/device.h"
#include "cuda/kernel/gather.h"
#include "cuda/runtime.h"
#include "numerics/cuda_run.h"
#include "numerics/weights.h"
#include "support/catch.h"

using namespace marlin;
using namespace marlin::test;

namespace {

constexpr uint16_t kFence = 0xa5a5;
constexpr int64_t kFenceSize = 64; // elements, behind what is written

// Rows whose elements all differ from their neighbours in row and column.
std::vector<uint16_t> make_rows(int64_t count) {
    std::vector<uint16_t> rows(static_cast<size_t>(count));
    for (size_t i = 0; i < rows.size(); ++i)
        rows[i] = static_cast<uint16_t>(i * 40503u >> 3);
    return rows;
}

// A permutation of k columns among k_packed places, -1 in the others.
std::vector<int32_t> make_perm(int64_t k, int64_t k_packed) {
    Random random{static_cast<uint64_t>(k)};
    std::vector<int32_t> perm(static_cast<size_t>(k_packed), -1);
    for (int64_t i = 0; i < k; ++i)
        perm[static_cast<size_t>(i)] = static_cast<int32_t>(i);
    for (size_t i = perm.size() - 1; i > 0; --i)
        std::swap(perm[i], perm[static_cast<size_t>(random.below(static_cast<int64_t>(i) + 1))]);
    return perm;
}

template <typename T>
cuda::DeviceMemory on_device(const std::vector<T> &values) {
    cuda::DeviceMemory memory(0, values.size() * sizeof(T));
    cuda::copy_to_device(memory.data(), values.data(), memory.size(), nullptr);
    return memory;
}

// `skip` elements before the first row decide its alignment. Empty, or the first wrong element.
std::string wrong_in(int64_t m, int64_t k, int64_t k_packed, int64_t lda, int64_t skip, bool permuted, int64_t shared) {
    const std::vector<uint16_t> rows = make_rows(skip + (m - 1) * lda + k);
    const std::vector<int32_t> perm = make_perm(k, k_packed);
    std::vector<uint16_t> result(static_cast<size_t>(m * k_packed + kFenceSize), kFence);
    const cuda::DeviceMemory from = on_device(rows);
    const cuda::DeviceMemory places = on_device(perm);
    const cuda::DeviceMemory to = on_device(result);
    cuda::GatherArgs args = {};
    args.to = to.data();
    args.from = static_cast<const uint16_t *>(from.data()) + skip;
    args.perm = permuted ? static_cast<const int32_t *>(places.data()) : nullptr;
    args.lda = lda;
    args.m = static_cast<int32_t>(m);
    args.k = static_cast<int32_t>(k);
    args.k_packed = static_cast<int32_t>(k_packed);
    cuda::check(cuda::launch_gather(args, shared, nullptr), "the gather");
    cuda::copy_to_host(result.data(), to.data(), to.size(), nullptr);
    for (int64_t row = 0; row < m; ++row)
        for (int64_t i = 0; i < k_packed; ++i) {
            const int64_t source = permuted ? perm[static_cast<size_t>(i)] : i;
            const uint16_t expected =
                source >= 0 && source < k ? rows[static_cast<size_t>(skip + row * lda + source)] : uint16_t{0};
            const uint16_t found = result[static_cast<size_t>(row * k_packed + i)];
            if (found != expected)
                return fmt::format("m {}, k {}, lda {}, skip {}: [{}, {}] is {:#x}, expected {:#x}", m, k, lda, skip,
                                   row, i, found, expected);
        }
    for (int64_t i = m * k_packed; i < m * k_packed + kFenceSize; ++i)
        if (result[static_cast<size_t>(i)] != kFence)
            return fmt::format("m {}, k {}: written {} elements behind the end", m, k, i - m * k_packed);
    return {};
}

} // namespace

TEST_CASE("A is gathered whatever its size, alignment and order", "[gpu][reduced]") {
    const int64_t shared = cuda::query_device(0).shared_memory_per_block;
    cuda::check(cuda::prepare_gather(shared), "preparing the gather");
    for (const bool permuted : {true, false}) {
        for (const int64_t k : {1, 5, 64, 100, 129, 1000, 4096})
            for (const int64_t m : {1, 3, 130})
                for (const int64_t skip : {0, 1, 5, 8})
                    for (const int64_t lda : {k, k + 1, k + 8 - k % 8})
                        CHECK(wrong_in(m, k, k + 192 - k % 64, lda, skip, permuted, shared) == "");
        // Several rows a CTA, with rows and columns left over.
        for (const auto &[m, k] : {std::pair{257, 4096}, {258, 4099}, {515, 1030}, {1023, 64}, {300, 9000}, {513, 7}})
            CHECK(wrong_in(m, k, k + 192 - k % 64, k + 8 - k % 8, 0, permuted, shared) == "");
        // Longer than 48 KiB, than the shared memory of the device, and than one that has none to spare.
        CHECK(wrong_in(3, 29568, 29568, 29568, 0, permuted, shared) == "");
        CHECK(wrong_in(2, 49999, 50048, 50001, 3, permuted, shared) == "");
        CHECK(wrong_in(2, 150001, 150016, 150001, 1, permuted, shared) == "");
        CHECK(wrong_in(3, 1000, 1024, 1001, 1, permuted, 1000) == "");
    }
}

TEST_CASE("Act-order multiplies right on CUDA, few rows and many", "[gpu]") {
    const auto backend = cuda_backend();
    std::vector<Problem> problems;
    for (const char *format : {"f16 s4 g128", "bf16 u4 g64", "f16 u4 gcol", "bf16 s4 g128 sbf16"})
        for (const char *size : {"m1 n64 k128", "m3 n300 k1000 bias", "m9 n1000 k2056", "m17 n520 k640 lda643",
                                 "m40 n333 k4096", "m70 n130 k777", "m300 n512 k520"})
            problems.push_back(from_text(fmt::format("gemm {} {} perm", format, size)));
    // A single row: in passes, longer than shared memory has place for, and not in order of 16 bytes.
    for (const char *text : {"gemm f16 s4 g128 m1 n20000 k256 perm", "gemm bf16 s4 g128 m1 n128 k60000 sbf16 perm",
                             "gemm f16 s4 g128 m1 n300 k8200 lda8201", "gemm bf16 u4 g32 m1 n70 k3000 zf32 perm"})
        problems.push_back(from_text(text));
    check_all(*backend, problems);
}

TEST_CASE("Longer problems than a gather takes at once multiply right on CUDA", "[gpu]") {
    const auto backend = cuda_backend();
    check_all(*backend, {from_text("gemm f16 s4 g128 m500 n64 k28672 perm")});
}

// The gathered rows of one multiply lie where those of the last one lay: a kernel that began too early would read them.
TEST_CASE("Multiplies that gather different rows after each other do not mix them up on CUDA", "[gpu]") {
    const auto backend = cuda_backend();
    for (const char *text : {"gemm f16 s4 g128 m1 n4096 k4096 perm", "gemm f16 s4 g128 m16 n512 k8192 perm",
                             "gemm f16 s4 g128 m130 n1024 k4096 perm", "gemm f16 s4 g128 m600 n512 k2048 perm"}) {
        const Problem problem = from_text(text);
        const Weights weights = make_weights(problem, Layout::Dense, Fill::Random, 4);
        Operands first(problem, Fill::Random, 5);
        Operands second(problem, Fill::Random, 6);
        OnDevice devices[] = {{problem, first, weights}, {problem, second, weights}};
        std::vector<std::byte> expected[2];
        for (int run = 0; run < 100; ++run) {
            for (OnDevice &device : devices)
                backend->gemm(problem, device.get, device.view);
            for (int i = 0; i < 2; ++i) {
                std::vector<std::byte> c(devices[i].c.size());
                cuda::copy_to_host(c.data(), devices[i].c.data(), c.size(), nullptr);
                if (run == 0)
                    expected[i] = c;
                else if (expected[i] != c)
                    FAIL(text << ", run " << run << ": other bits");
            }
        }
        CHECK(expected[0] != expected[1]);
    }
}
