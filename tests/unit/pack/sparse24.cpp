// 2:4: which rows are kept, in which order, and what is refused.
#include <algorithm>
#include <cmath>

#include "common/error.h"
#include "layout/element.h"
#include "quantize/select24.h"
#include "support/catch.h"
#include "unit/pack/buffer.h"
#include "unit/pack/weights.h"

namespace marlin::test {
namespace {

const Layout kSparseLayouts[] = {Layout::Sparse24Draft, Layout::CpuSparse24Draft};

PackRequest values_request(const std::vector<float> &values, int64_t k, int64_t n, Layout layout, Sparsity sparsity) {
    PackRequest r;
    r.src_type = Type::F32;
    r.src = std::as_bytes(std::span(values));
    r.k = k;
    r.n = n;
    r.group_size = 32;
    r.layout = layout;
    r.sparsity = sparsity;
    return r;
}

std::string refusal(const PackRequest &request, Status status) {
    PackedBuffer packed(1 << 20);
    SerialFor serial;
    try {
        pack_host(request, packed.bytes(), serial);
    } catch (const Error &error) {
        CHECK(error.status() == status);
        CHECK(packed.untouched_from(0));
        return error.text();
    }
    FAIL("the request was accepted");
    return {};
}

// Positions kept of four rows, by sorting: larger first, then lower.
std::pair<int, int> kept_by_sorting(const double (&magnitude)[4]) {
    int order[4] = {0, 1, 2, 3};
    std::ranges::sort(order,
                      [&](int a, int b) { return magnitude[a] != magnitude[b] ? magnitude[a] > magnitude[b] : a < b; });
    return {std::min(order[0], order[1]), std::max(order[0], order[1])};
}

} // namespace

TEST_CASE("of all sixteen patterns and all orders of four magnitudes the two largest stay, ties to the lower row",
          "[pack]") {
    for (int code = 0; code < 4 * 4 * 4 * 4; ++code) {
        const double m[4] = {double(code & 3), double(code >> 2 & 3), double(code >> 4 & 3), double(code >> 6)};
        const KeptPair pair = keep_two(float(m[0]), float(m[1]), float(m[2]), float(m[3]));
        REQUIRE(std::pair<int, int>(pair.first, pair.second) == kept_by_sorting(m));
    }
}

TEST_CASE("selection keeps the rows with the largest |w| * importance and rounds only those", "[pack]") {
    std::mt19937 rng(1);
    const int64_t k = 150; // the last quad has two rows
    const int64_t n = 67;
    std::vector<float> values;
    for (int64_t i = 0; i < k * n; ++i)
        values.push_back(static_cast<float>(static_cast<int>(rng() % 17) - 8) * 0.125f); // many ties and zeros
    std::vector<float> importance;
    for (int64_t i = 0; i < k; ++i)
        importance.push_back(static_cast<float>(rng() % 4));
    for (const Layout layout : kSparseLayouts) {
        PackRequest request = values_request(values, k, n, layout, Sparsity::Select24);
        request.importance = importance;
        PackedBuffer packed(packed_size(plan_pack(request)));
        SerialFor serial;
        const WeightsView view = pack_host(request, packed.bytes(), serial);
        for (int64_t j = 0; j < n; ++j)
            for (int64_t quad = 0; quad < k; quad += 4) {
                double magnitude[4] = {};
                for (int64_t i = quad; i < std::min(quad + 4, k); ++i)
                    magnitude[i - quad] = std::fabs(double(values[i * n + j])) * importance[i];
                const auto [first, second] = kept_by_sorting(magnitude);
                for (int p = 0; p < 4; ++p)
                    REQUIRE(read_element(view, quad + p, j).pruned == (p != first && p != second));
                REQUIRE(read_bits(view.body, view.geometry.metadata(quad / 4, 0, j), 3) == unsigned(first));
                REQUIRE(read_bits(view.body, view.geometry.metadata(quad / 4, 1, j), 3) == unsigned(second));
            }
        // The scale covers what is kept only.
        for (int64_t j = 0; j < n; ++j) {
            double absmax = 0;
            for (int64_t i = 0; i < 32; ++i)
                if (!read_element(view, i, j).pruned)
                    absmax = std::max(absmax, std::fabs(double(values[i * n + j])));
            REQUIRE(std::fabs(read_scale(view, 0, j) - absmax / 7) <= absmax / 7 * 0x1p-10);
        }
    }
}

TEST_CASE("selection with act-order counts packed rows and reads codes, scales and zeros of the source", "[pack]") {
    std::mt19937 rng(2);
    WeightsOptions options;
    options.k = 140;
    options.n = 65;
    options.group_size = 32;
    options.act_order = true;
    for (const Zeros zeros : {Zeros::None, Zeros::Integer, Zeros::Offset}) {
        options.zeros = zeros;
        const Weights w = random_weights(options, rng);
        SourceArrays arrays;
        SourceForm form;
        form.zero_type = zeros == Zeros::Offset ? Type::F16 : Type::U8;
        PackRequest request = encode(w, form, arrays);
        request.layout = Layout::CpuSparse24Draft;
        request.sparsity = Sparsity::Select24;
        PackedBuffer packed(packed_size(plan_pack(request)));
        SerialFor serial;
        const WeightsView view = pack_host(request, packed.bytes(), serial);
        REQUIRE(view.perm != nullptr);
        std::vector<float> out(static_cast<size_t>(w.k * w.n));
        UnpackRequest back;
        back.dst_type = Type::F32;
        back.dst = std::as_writable_bytes(std::span(out));
        unpack_host(view, back, serial);
        for (int64_t quad = 0; quad < view.shape().k_packed; quad += 4)
            for (int64_t j = 0; j < w.n; ++j) {
                double magnitude[4] = {};
                for (int64_t p = 0; p < 4; ++p)
                    if (const int64_t row = view.perm[quad + p]; row >= 0)
                        magnitude[p] = std::fabs(w.value(row, j));
                const auto [first, second] = kept_by_sorting(magnitude);
                for (int p = 0; p < 4; ++p)
                    if (const int64_t row = view.perm[quad + p]; row >= 0)
                        REQUIRE(out[row * w.n + j] == (p == first || p == second ? w.value(row, j) : 0.0));
            }
    }
}

TEST_CASE("the first four rows that are not 2:4 are named, and nothing is written", "[pack]") {
    std::vector<float> values(200 * 70, 0.0f);
    for (const Layout layout : kSparseLayouts) {
        std::ranges::fill(values, 0.0f);
        for (const int64_t row : {144, 145, 147})
            values[row * 70 + 66] = 1.0f;
        for (const int64_t row : {196, 197, 198, 199})
            values[row * 70 + 66] = -1.0f;
        const PackRequest request = values_request(values, 200, 70, layout, Sparsity::Already24);
        const std::string text = refusal(request, Status::NotSparse);
        CHECK(text == "rows 144 .. 147 of column 66 have 3 nonzero weights, expected at most 2 of each 4 rows");
        values[145 * 70 + 66] = -0.0f; // a zero as well
        CHECK(refusal(request, Status::NotSparse).starts_with("rows 196 .. 199 of column 66 have 4 nonzero"));
        values[196 * 70 + 66] = values[199 * 70 + 66] = 0.0f;
        PackedBuffer packed(packed_size(plan_pack(request)));
        SerialFor serial;
        pack_host(request, packed.bytes(), serial);
    }
}

TEST_CASE("codes are zero by value: the zero point, or any code where the scale is zero", "[pack]") {
    WeightsOptions options;
    options.k = 64;
    options.n = 3;
    options.group_size = 64;
    options.zeros = Zeros::Integer;
    std::mt19937 rng(3);
    Weights w = random_weights(options, rng);
    for (int64_t i = 0; i < w.k; ++i)
        for (int64_t j = 0; j < w.n; ++j)
            w.code[i * w.n + j] = i % 4 < 2 ? (i + j) % 16 : static_cast<int>(w.zero[j]);
    w.zero[0] = 16.0f; // no code is zero here
    SourceArrays arrays;
    PackRequest request = encode(w, {}, arrays);
    request.layout = Layout::Sparse24Draft;
    request.sparsity = Sparsity::Already24;
    CHECK(refusal(request, Status::NotSparse).starts_with("rows 0 .. 3 of column 0 have 4 nonzero"));
    w.scale[0] = 0.0f;
    request = encode(w, {}, arrays);
    request.layout = Layout::Sparse24Draft;
    request.sparsity = Sparsity::Already24;
    PackedBuffer packed(packed_size(plan_pack(request)));
    SerialFor serial;
    const WeightsView view = pack_host(request, packed.bytes(), serial);
    for (int64_t i = 0; i < w.k; ++i)
        for (int64_t j = 1; j < w.n; ++j)
            REQUIRE(read_element(view, i, j).pruned == (i % 4 >= 2));
}

} // namespace marlin::test
