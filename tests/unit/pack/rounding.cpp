// Rounding of values against the formulas written once more in FP64, and least squares against min-max.
#include <algorithm>
#include <cmath>
#include <functional>

#include "layout/element.h"
#include "support/catch.h"
#include "unit/pack/buffer.h"
#include "unit/pack/weights.h"

namespace marlin::test {
namespace {

struct Values {
    int64_t k;
    int64_t n;
    std::vector<float> value; // [k][n]
    float at(int64_t row, int64_t column) const { return value[row * n + column]; }
};

Values random_values(int64_t k, int64_t n, std::mt19937 &rng, float magnitude = 1.0f) {
    Values v{k, n, {}};
    std::normal_distribution<float> normal(0.0f, magnitude);
    for (int64_t i = 0; i < k * n; ++i)
        v.value.push_back(static_cast<float>(static_cast<_Float16>(normal(rng))));
    return v;
}

// A request and the memory behind it.
struct Packed {
    Packed(const Values &v, PackRequest given, Type src_type = Type::F32) : request(given), buffer(0) {
        for (const float value : v.value)
            append_number(src, value, src_type);
        request.src_type = src_type;
        request.k = v.k;
        request.n = v.n;
        request.src = src;
        buffer = PackedBuffer(packed_size(plan_pack(request)));
        SerialFor serial;
        view = pack_host(request, buffer.bytes(), serial);
    }
    std::vector<std::byte> src;
    PackRequest request;
    PackedBuffer buffer;
    WeightsView view;
};

PackRequest request_of(Type type, Type zero_type, int64_t group_size, Layout layout = Layout::CpuDraft) {
    PackRequest r;
    r.type = type;
    r.zero_type = zero_type;
    r.group_size = group_size;
    r.layout = layout;
    return r;
}

double dequantised(const WeightsView &w, int64_t row, int64_t column) {
    const Element element = read_element(w, row, column);
    const int64_t group = w.geometry.group_of(row);
    const ZeroAndOffset zero = read_zero(w, group, column);
    return element.pruned ? 0.0 : (element.code - double(zero.zero)) * read_scale(w, group, column) + zero.offset;
}

double squared_error(const WeightsView &w, const Values &v, int64_t first, int64_t last, int64_t column,
                     const std::vector<float> &importance) {
    double sum = 0;
    for (int64_t row = first; row < last; ++row) {
        const double e = v.at(row, column) - dequantised(w, row, column);
        sum += (importance.empty() ? 1.0 : importance[row]) * e * e;
    }
    return sum;
}

// Scale of the formula in FP64, then rounded by the compiler; the packer rounds to FP32 in between, so the last bit may
// differ: the neighbour is accepted.
bool is_half_near(double scale, double exact) {
    return std::fabs(scale - exact) <= std::fabs(exact) * 0x1p-11 * 1.001;
}

} // namespace

TEST_CASE("symmetric rounding: the scale is the largest magnitude over seven, codes are nearest, ties even",
          "[quantize]") {
    std::mt19937 rng(1);
    const Values v = random_values(200, 70, rng);
    for (const int64_t group_size : {int64_t{32}, int64_t{64}, int64_t{128}, kGroupPerColumn}) {
        const Packed p(v, request_of(Type::S4, Type::None, group_size));
        const int64_t step = group_size < 0 ? v.k : group_size;
        for (int64_t j = 0; j < v.n; ++j)
            for (int64_t first = 0; first < v.k; first += step) {
                const int64_t last = std::min(first + step, v.k);
                double absmax = 0;
                for (int64_t i = first; i < last; ++i)
                    absmax = std::max(absmax, std::fabs(double(v.at(i, j))));
                const double scale = read_scale(p.view, first / step, j);
                REQUIRE(is_half_near(scale, absmax / 7));
                for (int64_t i = first; i < last; ++i) {
                    const double exact = v.at(i, j) / scale; // two halves: no tie is lost in FP64
                    REQUIRE(read_element(p.view, i, j).code == std::clamp(std::nearbyint(exact), -8.0, 7.0) + 8);
                }
            }
    }
}

TEST_CASE("asymmetric rounding with a zero point keeps zero exact and spans the range", "[quantize]") {
    std::mt19937 rng(2);
    Values v = random_values(96, 66, rng);
    for (int64_t i = 0; i < v.k; ++i) {
        v.value[i * v.n + 0] = std::fabs(v.at(i, 0)) + 3.0f;  // all above zero
        v.value[i * v.n + 1] = -std::fabs(v.at(i, 1)) - 3.0f; // all below
    }
    const Packed p(v, request_of(Type::U4, Type::U8, 32));
    for (int64_t j = 0; j < v.n; ++j)
        for (int64_t first = 0; first < v.k; first += 32) {
            double low = 0;
            double high = 0;
            for (int64_t i = first; i < first + 32; ++i) {
                low = std::min(low, double(v.at(i, j)));
                high = std::max(high, double(v.at(i, j)));
            }
            const double scale = read_scale(p.view, first / 32, j);
            const double zero = read_zero(p.view, first / 32, j).zero;
            REQUIRE(is_half_near(scale, (high - low) / 15));
            REQUIRE(zero == std::clamp(std::nearbyint(-low / scale), 0.0, 15.0));
            for (int64_t i = first; i < first + 32; ++i)
                REQUIRE(read_element(p.view, i, j).code ==
                        std::clamp(std::nearbyint(v.at(i, j) / scale) + zero, 0.0, 15.0));
        }
    CHECK(read_zero(p.view, 0, 0).zero == 0.0f);
    CHECK(read_zero(p.view, 0, 1).zero == 15.0f);
}

TEST_CASE("rounding with an offset starts at the smallest value", "[quantize]") {
    std::mt19937 rng(3);
    const Values v = random_values(96, 66, rng);
    for (const Type offset_type : {Type::F16, Type::F32}) {
        const Packed p(v, request_of(Type::U4, offset_type, 32));
        for (int64_t j = 0; j < v.n; ++j)
            for (int64_t first = 0; first < v.k; first += 32) {
                double low = v.at(first, j);
                double high = low;
                for (int64_t i = first; i < first + 32; ++i) {
                    low = std::min(low, double(v.at(i, j)));
                    high = std::max(high, double(v.at(i, j)));
                }
                const double scale = read_scale(p.view, first / 32, j);
                REQUIRE(is_half_near(scale, (high - low) / 15));
                REQUIRE(read_zero(p.view, first / 32, j).offset == low); // values are halves: exact in both types
                for (int64_t i = first; i < first + 32; ++i)
                    REQUIRE(std::fabs(v.at(i, j) - dequantised(p.view, i, j)) <= scale * 0.51);
            }
    }
}

TEST_CASE("groups that are all equal, or too small for the scale type, stay finite and near", "[quantize]") {
    Values v{64, 4, std::vector<float>(64 * 4, 0.0f)};
    for (int64_t i = 0; i < 64; ++i) {
        v.value[i * 4 + 1] = 0.375f;
        v.value[i * 4 + 2] = i % 2 == 0 ? 1e-8f : -1e-8f; // far below the smallest half
        v.value[i * 4 + 3] = i % 2 == 0 ? 0x1p-24f : 0.0f;
    }
    SECTION("symmetric") {
        const Packed p(v, request_of(Type::S4, Type::None, 64));
        CHECK(read_scale(p.view, 0, 0) == 0.0f);
        CHECK(read_element(p.view, 5, 0).code == 8);
        CHECK(read_element(p.view, 5, 1).code == 15);
        CHECK(read_scale(p.view, 0, 2) == 0x1p-24f); // not 0: the group is not all zero
        CHECK(read_element(p.view, 0, 2).code == 8);
        CHECK(dequantised(p.view, 0, 3) == 0x1p-24);
    }
    SECTION("zero point") {
        const Packed p(v, request_of(Type::U4, Type::U8, 64));
        CHECK(read_scale(p.view, 0, 0) == 0.0f);
        CHECK(read_zero(p.view, 0, 0).zero == 0.0f);
        CHECK(read_element(p.view, 5, 0).code == 0);
        CHECK(read_element(p.view, 5, 1).code == 15);
    }
    SECTION("offset") {
        const Packed p(v, request_of(Type::U4, Type::F16, 64));
        CHECK(read_scale(p.view, 0, 1) == 0.0f);
        CHECK(read_element(p.view, 5, 1).code == 0);
        CHECK(dequantised(p.view, 5, 1) == 0.375);
    }
}

TEST_CASE("least squares is never worse than min-max, and better where outliers are", "[quantize]") {
    std::mt19937 rng(4);
    Values v = random_values(256, 65, rng);
    for (int64_t j = 0; j < v.n; ++j)
        v.value[(j * 37 % v.k) * v.n + j] *= 6.0f;
    std::vector<float> importance;
    for (int64_t i = 0; i < v.k; ++i)
        importance.push_back(static_cast<float>(rng() % 8) * 0.25f);
    for (const auto &[type, zero_type] :
         {std::pair{Type::S4, Type::None}, std::pair{Type::U4, Type::U8}, std::pair{Type::U4, Type::F32}})
        for (const int64_t group_size : {int64_t{64}, kGroupPerColumn})
            for (const bool weighted : {false, true}) {
                PackRequest request = request_of(type, zero_type, group_size);
                if (weighted)
                    request.importance = importance;
                const std::vector<float> weights = weighted ? importance : std::vector<float>{};
                const Packed min_max(v, request);
                request.scale_method = ScaleMethod::LeastSquares;
                const Packed least(v, request);
                const int64_t step = group_size < 0 ? v.k : group_size;
                int better = 0;
                for (int64_t j = 0; j < v.n; ++j)
                    for (int64_t first = 0; first < v.k; first += step) {
                        const double before = squared_error(min_max.view, v, first, first + step, j, weights);
                        const double after = squared_error(least.view, v, first, first + step, j, weights);
                        REQUIRE(after <= before * (1 + 1e-5)); // compared in FP32 when packing
                        better += after < before * 0.99 ? 1 : 0;
                    }
                CHECK(better > 10);
            }
}

TEST_CASE("least squares finds the best of its listed candidates", "[quantize]") {
    std::mt19937 rng(5);
    const Values v = random_values(32, 64, rng);
    PackRequest request = request_of(Type::S4, Type::None, 32);
    request.scale_method = ScaleMethod::LeastSquares;
    request.scale_type = Type::BF16;
    const Packed p(v, request);
    for (int64_t j = 0; j < v.n; ++j) {
        double absmax = 0;
        for (int64_t i = 0; i < v.k; ++i)
            absmax = std::max(absmax, std::fabs(double(v.at(i, j))));
        double least = INFINITY;
        bool listed = false;
        for (int candidate = 0; candidate < 32; ++candidate) {
            const auto single = static_cast<float>(absmax * (64 - candidate) / 64 / 7);
            uint32_t word = 0;
            std::memcpy(&word, &single, 4);
            word = (word + 0x7fffu + (word >> 16 & 1u)) & 0xffff0000u;
            float scale = 0;
            std::memcpy(&scale, &word, 4);
            double sum = 0;
            for (int64_t i = 0; i < v.k; ++i) {
                const double e = v.at(i, j) - std::clamp(std::nearbyint(double(v.at(i, j)) / scale), -8.0, 7.0) * scale;
                sum += e * e;
            }
            least = std::min(least, sum);
            listed = listed || scale == read_scale(p.view, 0, j);
        }
        REQUIRE(listed);
        REQUIRE(squared_error(p.view, v, 0, v.k, j, {}) <= least * (1 + 1e-5));
    }
}

TEST_CASE("values of all three types round alike, and so do rows that act-order sorts", "[quantize]") {
    std::mt19937 rng(6);
    Values v = random_values(192, 67, rng);
    for (float &value : v.value)
        value = std::ldexp(std::nearbyint(std::ldexp(value, 5)), -5); // exact in BF16 too
    const PackRequest request = request_of(Type::S4, Type::None, 64);
    const Packed single(v, request, Type::F32);
    for (const Type type : {Type::F16, Type::BF16}) {
        const Packed half(v, request, type);
        CHECK(std::ranges::equal(single.buffer.bytes(), half.buffer.bytes()));
    }

    // Group 0 has 150 rows (three packed groups, two runs of one scale), group 1 has 30, group 2 has 12.
    std::vector<int32_t> g_idx;
    for (int32_t i = 0; i < 192; ++i)
        g_idx.push_back(i < 150 ? 0 : i < 180 ? 1 : 2);
    std::shuffle(g_idx.begin(), g_idx.end(), rng);
    for (const ScaleMethod method : {ScaleMethod::MinMax, ScaleMethod::LeastSquares}) {
        PackRequest ordered = request;
        ordered.act_order = true;
        ordered.g_idx = g_idx;
        ordered.scale_method = method;
        const Packed p(v, ordered);
        REQUIRE(p.view.perm != nullptr);
        REQUIRE(p.view.shape().k_packed == 5 * 64);
        for (int64_t group = 0; group < 3; ++group) {
            Values rows{0, v.n, {}};
            for (int64_t i = 0; i < v.k; ++i)
                if (g_idx[i] == group) {
                    rows.value.insert(rows.value.end(), v.value.begin() + i * v.n, v.value.begin() + (i + 1) * v.n);
                    ++rows.k;
                }
            PackRequest alone = request_of(Type::S4, Type::None, kGroupPerColumn);
            alone.scale_method = method;
            const Packed column(rows, alone);
            const int64_t first = group == 0 ? 0 : (group + 2) * 64;
            for (int64_t i = 0; i < rows.k; ++i)
                for (int64_t j = 0; j < v.n; ++j)
                    REQUIRE(dequantised(p.view, first + i, j) == dequantised(column.view, i, j));
        }
    }
}

} // namespace marlin::test
