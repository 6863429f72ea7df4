// Arrays of random bits, repeated until a layer is full: what is packed does not change how long it takes.
#include "cuda_pack_subject.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "layout/element.h"
#include "pack/pack.h"
#include "pack/row_order.h"

namespace marlin::bench {
namespace {

constexpr int64_t kPatternElements = 1 << 18;
constexpr int64_t kWorkspaceSize = int64_t{64} << 20; // what a handle brings

template <typename Draw>
std::vector<std::byte> pattern_of(Type type, Draw draw) {
    const auto size = static_cast<size_t>(size_of(type));
    std::vector<std::byte> bytes(static_cast<size_t>(kPatternElements) * size);
    for (size_t i = 0; i < bytes.size(); i += size) {
        const uint32_t bits = stored_bits(draw(), type);
        std::memcpy(bytes.data() + i, &bits, size);
    }
    return bytes;
}

} // namespace

PackSubject::PackSubject(const PackProblem &problem, int32_t ordinal)
    : problem_(problem), ordinal_(ordinal), request_(problem.request) {
    place_.ordinal = ordinal;
    place_.workspace = make<std::byte>(kWorkspaceSize, nullptr, 0).data();
    place_.workspace_size = kWorkspaceSize;
    make_source();
    if (request_.act_order)
        make_order();
    packed_ = make<std::byte>(packed_size(plan_pack(request_)), nullptr, 0);
    view_ = cuda::pack_on_device(request_, false, packed_, place_);
    const auto packed = static_cast<int64_t>(kHeaderSize + view_.geometry.body_size);
    bytes_ = packed + static_cast<int64_t>(request_.src.size() + request_.scales.size() + request_.zeros.size());
    if (!problem.unpack)
        return;
    unpack_.dst_type = problem.dst_type;
    unpack_.dst_order = problem.dst_order;
    unpack_.dst = make<std::byte>(request_.k * request_.n * size_of(problem.dst_type), nullptr, 0);
    bytes_ = packed + static_cast<int64_t>(unpack_.dst.size());
}

void PackSubject::run() {
    if (problem_.unpack)
        cuda::unpack_on_device(view_, unpack_, place_);
    else
        view_ = cuda::pack_on_device(request_, false, packed_, place_);
}

// `size` bytes of device memory, filled with copies of the pattern if there is one.
template <typename T>
std::span<T> PackSubject::make(int64_t size, const void *pattern, int64_t pattern_size) {
    memory_.emplace_back(ordinal_, static_cast<size_t>(size));
    auto *const data = static_cast<std::byte *>(memory_.back().data());
    if (pattern != nullptr) {
        const int64_t first = std::min(size, pattern_size);
        cuda::copy_to_device(data, pattern, static_cast<size_t>(first), nullptr);
        for (int64_t at = first; at < size; at += first)
            cuda::copy_on_device(data + at, data, static_cast<size_t>(std::min(first, size - at)), nullptr);
        cuda::synchronize(nullptr);
    }
    return {reinterpret_cast<T *>(data), static_cast<size_t>(size) / sizeof(T)};
}

void PackSubject::make_source() {
    std::mt19937 rng(1);
    std::normal_distribution<float> normal(0.0f, 0.02f);
    const int64_t k = request_.k;
    const int64_t n = request_.n;
    const int64_t groups = source_group_count(k, request_.group_size);
    const auto fill = [&](int64_t size, const std::vector<std::byte> &pattern) {
        return make<const std::byte>(size, pattern.data(), static_cast<int64_t>(pattern.size()));
    };
    const auto bits = pattern_of(Type::U8, [&] { return static_cast<float>(rng() & 255u); });
    const Type type = request_.src_type;
    if (request_.source == Source::Plain && is_float(type)) {
        request_.src = fill(k * n * size_of(type), pattern_of(type, [&] { return normal(rng); }));
        return;
    }
    if (request_.source == Source::Plain)
        request_.src = fill(k * n, pattern_of(Type::U8, [&] {
                                const unsigned code = rng() & 15u;
                                return static_cast<float>(type == Type::S4 ? (code - 8u) & 255u : code);
                            }));
    else
        request_.src = fill(k * n / 2, bits);
    request_.scales = fill(groups * n * 2, pattern_of(Type::F16, [&] { return std::fabs(normal(rng)) + 0.001f; }));
    const Type zeros = request_.src_zero_type;
    if (request_.source == Source::Awq)
        request_.zeros = fill(groups * n / 2, bits);
    else if (zeros == Type::U8)
        request_.zeros = fill(groups * n, pattern_of(zeros, [&] { return static_cast<float>(rng() & 15u); }));
    else if (zeros != Type::None)
        request_.zeros = fill(groups * n * size_of(zeros), pattern_of(zeros, [&] { return normal(rng); }));
}

void PackSubject::make_order() {
    std::vector<int32_t> g_idx(static_cast<size_t>(request_.k));
    const int64_t size = request_.group_size == kGroupPerColumn ? request_.k : request_.group_size;
    for (size_t row = 0; row < g_idx.size(); ++row)
        g_idx[row] = static_cast<int32_t>(static_cast<int64_t>(row) / size);
    std::shuffle(g_idx.begin(), g_idx.end(), std::mt19937(2));
    request_.g_idx = make<const int32_t>(request_.k * 4, g_idx.data(), request_.k * 4);
}

} // namespace marlin::bench
