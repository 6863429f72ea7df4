// Every bit of every packed layout belongs to one thing, lies inside the body, and stands where the outer arrangement
// says.
#include <vector>

#include "layout/geometry.h"
#include "support/catch.h"

using namespace marlin;

namespace {

constexpr Layout kLayouts[] = {Layout::Dense, Layout::Sparse24Draft, Layout::CpuDraft, Layout::CpuSparse24Draft};
constexpr int64_t kGroups[] = {32, 64, 128, kGroupPerColumn};
constexpr Type kZeroTypes[] = {Type::None, Type::U8, Type::F16, Type::BF16, Type::F32};

// Two and a half columns, three runs, everything optional included.
PackedShape shape_of(Layout layout, int64_t group_size, Type zero_type) {
    PackedShape shape;
    shape.layout = layout;
    shape.type = zero_type == Type::None ? Type::S4 : Type::U4;
    shape.scale_type = Type::BF16;
    shape.zero_type = zero_type;
    shape.k_packed = 3 * run_rows(layout, group_size);
    shape.n = 2 * kColumnFeatures + 17;
    shape.group_size = group_size;
    shape.has_perm = true;
    shape.has_column_scales = true;
    return shape;
}

template <typename Visit>
void for_every_shape(Visit visit) {
    for (const Layout layout : kLayouts)
        for (const int64_t group_size : kGroups)
            for (const Type zero_type : kZeroTypes) {
                CAPTURE(to_string(layout), group_size, to_string(zero_type));
                visit(make_geometry(shape_of(layout, group_size, zero_type)));
            }
}

// Counts the claims on every bit of a body.
class BitMap {
public:
    explicit BitMap(int64_t bytes) : claims_(static_cast<size_t>(bytes) * 8, 0) {}

    void claim(int64_t byte, int shift, int bits) {
        for (int i = 0; i < bits; ++i) {
            const int64_t bit = byte * 8 + shift + i;
            if (bit < 0 || bit >= static_cast<int64_t>(claims_.size()) || shift + bits > 8)
                ++outside_;
            else if (++claims_[static_cast<size_t>(bit)] > 1)
                ++twice_;
        }
    }
    void claim_bytes(int64_t byte, int64_t bytes) {
        for (int64_t i = 0; i < bytes; ++i)
            claim(byte + i, 0, 8);
    }
    int64_t free_bits_before(int64_t byte) const {
        int64_t free = 0;
        for (int64_t bit = 0; bit < byte * 8; ++bit)
            free += claims_[static_cast<size_t>(bit)] == 0 ? 1 : 0;
        return free;
    }
    int64_t outside() const { return outside_; }
    int64_t twice() const { return twice_; }

private:
    std::vector<unsigned char> claims_;
    int64_t outside_ = 0;
    int64_t twice_ = 0;
};

void claim_codes(const Geometry &g, BitMap &bits) {
    for (int64_t n = 0; n < g.n_packed(); ++n) {
        if (!g.sparse()) {
            for (int64_t k = 0; k < g.shape.k_packed; ++k)
                bits.claim(g.code(k, n).byte, g.code(k, n).shift, 4);
            continue;
        }
        for (int64_t quad = 0; quad < g.shape.k_packed / 4; ++quad)
            for (int64_t slot = 0; slot < 2; ++slot) {
                bits.claim(g.kept_code(quad, slot, n).byte, g.kept_code(quad, slot, n).shift, 4);
                bits.claim(g.metadata(quad, slot, n).byte, g.metadata(quad, slot, n).shift, 2);
            }
    }
}

} // namespace

TEST_CASE("every code, position, scale, zero, permutation entry and column scale has bits of its own") {
    for_every_shape([](const Geometry &g) {
        BitMap bits(g.body_size);
        claim_codes(g, bits);
        for (int64_t n = 0; n < g.n_packed(); ++n)
            for (int64_t group = 0; group < g.groups(); ++group) {
                bits.claim_bytes(g.scale(group, n), size_of(g.shape.scale_type));
                bits.claim_bytes(g.zero(group, n), size_of(g.shape.zero_type));
            }
        bits.claim_bytes(g.perm_offset, g.shape.k_packed * 4);
        bits.claim_bytes(g.column_scales_offset, g.shape.n * 4);
        CHECK(bits.outside() == 0);
        CHECK(bits.twice() == 0);
        // Runs have no holes: what is streamed is what is used.
        CHECK(bits.free_bits_before(g.columns * g.runs * g.run_size) == 0);
    });
}

TEST_CASE("a run is contiguous: codes, scales, zeros, metadata, and runs follow each other along k") {
    for_every_shape([](const Geometry &g) {
        CHECK(g.run_size == g.codes_size + g.scales_size + g.zeros_size + g.metadata_size);
        int64_t misplaced = 0;
        const auto expect_inside = [&](int64_t byte, int64_t begin, int64_t size) {
            misplaced += byte >= begin && byte < begin + size ? 0 : 1;
        };
        for (int64_t n = 0; n < g.n_packed(); ++n)
            for (int64_t k = 0; k < g.shape.k_packed; ++k) {
                const int64_t run = g.run_offset(n / kColumnFeatures, k / g.run_k);
                if (g.sparse()) {
                    expect_inside(g.kept_code(k / 4, k % 2, n).byte, run, g.codes_size);
                    expect_inside(g.metadata(k / 4, k % 2, n).byte, run + g.run_size - g.metadata_size,
                                  g.metadata_size);
                } else {
                    expect_inside(g.code(k, n).byte, run, g.codes_size);
                }
                if (g.groups_in_run == 0)
                    continue;
                expect_inside(g.scale(g.group_of(k), n), run + g.codes_size, g.scales_size);
                if (g.zeros_size != 0)
                    expect_inside(g.zero(g.group_of(k), n), run + g.codes_size + g.scales_size, g.zeros_size);
            }
        CHECK(misplaced == 0);
        CHECK(g.run_offset(0, 0) == 0);
        CHECK(g.run_offset(1, 2) - g.run_offset(1, 1) == g.run_size);
        CHECK(g.run_offset(1, 0) - g.run_offset(0, g.runs - 1) == g.run_size);
    });
}

TEST_CASE("sections and runs start where vector loads and bulk copies can") {
    for_every_shape([](const Geometry &g) {
        CHECK(g.scales_apart % kSectionAlignment == 0);
        CHECK(g.zeros_apart % kSectionAlignment == 0);
        CHECK(g.perm_offset % kSectionAlignment == 0);
        CHECK(g.column_scales_offset % kSectionAlignment == 0);
        CHECK(g.body_size % kSectionAlignment == 0);
        CHECK(g.run_size % 64 == 0);
        CHECK(g.codes_size % 64 == 0);
        CHECK((g.codes_size + g.scales_size + g.zeros_size) % 64 == 0);
        CHECK(g.run_k % 64 == 0);
        CHECK(g.run_k == (g.groups_in_run == 0 ? g.run_k : g.groups_in_run * g.shape.group_size));
    });
}

TEST_CASE("a group's 64 scales are neighbours in feature order, and so are a column's own") {
    for_every_shape([](const Geometry &g) {
        for (int64_t group = 0; group < g.groups(); ++group)
            for (int64_t n = 1; n < kColumnFeatures; ++n) {
                REQUIRE(g.scale(group, n) - g.scale(group, n - 1) == size_of(g.shape.scale_type));
                REQUIRE(g.zero(group, n) - g.zero(group, n - 1) == size_of(g.shape.zero_type));
            }
    });
}

TEST_CASE("without permutation and column scales the body ends with the weights") {
    PackedShape shape = shape_of(Layout::CpuDraft, 64, Type::U8);
    shape.has_perm = false;
    shape.has_column_scales = false;
    const Geometry g = make_geometry(shape);
    CHECK(g.body_size == round_up(g.columns * g.runs * g.run_size, kSectionAlignment));
}

TEST_CASE("layout numbers name themselves and their kind") {
    CHECK(to_string(Layout::Default) == "default");
    CHECK(to_string(static_cast<Layout>(7)) == "unknown");
    CHECK_FALSE(is_known(Layout::Default));
    CHECK_FALSE(is_known(static_cast<Layout>(0x1000))); // the draft that layout 1 was
    CHECK_FALSE(is_known(static_cast<Layout>(0x1004)));
    CHECK(static_cast<int32_t>(Layout::Dense) == 1);
    for (const Layout layout : kLayouts) {
        CHECK(is_known(layout));
        CHECK((static_cast<int32_t>(layout) >= 0x1000) == (to_string(layout).find("draft") != std::string_view::npos));
        CHECK((to_string(layout).find("sparse24") != std::string_view::npos) == is_sparse24(layout));
        CHECK((to_string(layout).find("cpu") != std::string_view::npos) == is_cpu(layout));
    }
}
