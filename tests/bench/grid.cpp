// Shapes of Llama-like and larger models, batches from one token to prefill, and kinds of weights.
#include "grid.h"

#include <cstdint>
#include <span>

#include "common/error.h"

namespace marlin::bench {
namespace {

struct Shape {
    int64_t n;
    int64_t k;
};

constexpr Shape kShapes[] = {{4096, 4096}, {6144, 4096},  {28672, 4096}, {4096, 14336},
                             {8192, 8192}, {57344, 8192}, {8192, 28672}, {73728, 18432}};
constexpr int64_t kBatches[] = {1, 2, 4, 8, 16, 32, 48, 64, 96, 128, 256, 512, 1024, 2048, 4096};

// Other kinds of weights, on the smallest shape and on a large one, at a few batches.
constexpr Shape kKindShapes[] = {{4096, 4096}, {8192, 28672}};
constexpr int64_t kKindBatches[] = {1, 16, 64, 1024};
constexpr const char *kUsual = "f16 s4 g128";
constexpr const char *kKinds[] = {
    "bf16 s4 g128", "f16 u4 g128", "f16 u4 g128 zf16", "f16 s4 g32",
    "f16 s4 g64",   "f16 s4 gcol", "f16 s4 g128 perm", "f16 s4 g128 bias",
};

constexpr Shape kQuickShapes[] = {{4096, 4096}, {8192, 8192}};
constexpr int64_t kQuickBatches[] = {1, 16, 64, 256, 1024};

constexpr Shape kSquareShapes[] = {{4096, 4096}, {8192, 8192}, {16384, 16384}, {32768, 32768}};
constexpr int64_t kSquareBatches[] = {1, 4, 16, 64, 256, 1024, 4096, 16384, 65536};

constexpr const char *kCalls[] = {"gemm ", "sp_gemm "};

void add(std::vector<std::string> &list, std::span<const Shape> shapes, std::span<const int64_t> batches,
         const std::string &kind) {
    for (const Shape &shape : shapes)
        for (const int64_t m : batches)
            list.push_back(fmt::format("{} m{} n{} k{}", kind, m, shape.n, shape.k));
}

std::vector<std::string> full() {
    std::vector<std::string> list;
    for (const std::string call : kCalls) {
        add(list, kShapes, kBatches, call + kUsual);
        for (const char *kind : kKinds)
            add(list, kKindShapes, kKindBatches, call + kind);
    }
    return list;
}

std::vector<std::string> usual(std::span<const Shape> shapes, std::span<const int64_t> batches) {
    std::vector<std::string> list;
    for (const std::string call : kCalls)
        add(list, shapes, batches, call + kUsual);
    return list;
}

} // namespace

std::vector<std::string> grid_problems(const std::string &name) {
    if (name == "full")
        return full();
    if (name == "quick")
        return usual(kQuickShapes, kQuickBatches);
    if (name == "roofline")
        return usual(kSquareShapes, kSquareBatches);
    fail(Status::InvalidArgument, "grid is \"{}\", expected full, quick or roofline", name);
}

} // namespace marlin::bench
