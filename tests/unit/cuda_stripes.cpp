// The partition of CUDA kernels for many tokens: every unit of every tile belongs to exactly one CTA.
#include <vector>

#include "cuda/kernel/stripes.cuh"
#include "support/catch.h"

using namespace marlin::cuda;

TEST_CASE("A divisor divides as the machine does") {
    for (const int32_t d : {1, 2, 3, 5, 7, 31, 64, 100, 132, 4095, 65537, 1000003, 2147483647})
        for (const int32_t n : {0, 1, 2, 3, 6, 7, 99, 100, 101, 4095, 4096, 131071, 1000003, 2147483646, 2147483647})
            CHECK(Divisor(d).divide(n) == n / d);
}

TEST_CASE("Segments cover every unit once, and a shared tile's owners are known") {
    struct Case {
        int64_t feature_tiles, token_tiles, units, striped, ctas;
    };
    for (const Case &c : {Case{32, 1, 16, 32, 128}, Case{32, 1, 16, 32, 132}, Case{7, 3, 5, 21, 20},
                          Case{1, 1, 1, 1, 1}, Case{100, 2, 9, 0, 132}, Case{75, 2, 9, 18 + 132, 132},
                          Case{3, 1, 100, 3, 132}, Case{5, 1, 2, 5, 132}, Case{40, 10, 3, 400 % 132, 132}}) {
        const Partition p(c.feature_tiles, c.token_tiles, c.units, c.striped, c.ctas, 3);
        std::vector<int> owner(static_cast<size_t>(p.tiles * c.units), -1);
        for (int32_t cta = 0; cta < p.ctas; ++cta) {
            int segments_inside = 0;
            for (int32_t done = 0;;) {
                const Segment s = segment_at(p, cta, done);
                if (s.end == 0)
                    break;
                REQUIRE(s.tile >= 0);
                REQUIRE(s.tile < p.tiles);
                REQUIRE(s.begin < s.end);
                REQUIRE(s.end <= c.units);
                for (int32_t u = s.begin; u < s.end; ++u) {
                    int &of_unit = owner[static_cast<size_t>(s.tile * c.units + u)];
                    CHECK(of_unit == -1);
                    of_unit = cta;
                    // A position inside the segment finds the rest of it.
                    const Segment rest = segment_at(p, cta, done + u - s.begin);
                    CHECK(rest.tile == s.tile);
                    CHECK(rest.begin == u);
                    CHECK(rest.end == s.end);
                }
                if (s.end - s.begin < c.units) {
                    CHECK(s.tile >= p.tiles - p.striped);
                    segments_inside += s.begin > 0 ? 1 : 0;
                    for (int32_t u = s.begin; u < s.end; ++u)
                        CHECK(p.owner((s.tile - (p.tiles - p.striped)) * static_cast<int32_t>(c.units) + u) == cta);
                }
                done += s.end - s.begin;
            }
            CHECK(segments_inside <= 1);
        }
        for (const int of_unit : owner)
            CHECK(of_unit >= 0);
    }
}

TEST_CASE("Every pair of a feature and a token tile has one number") {
    for (const int64_t features : {1, 3, 16, 100})
        for (const int64_t tokens : {1, 2, 7, 8, 9, 16, 31, 32}) {
            for (const int shift : {2, 3}) {
                const Partition p(features, tokens, 4, 0, 132, shift);
                std::vector<int> seen(static_cast<size_t>(features * tokens), 0);
                for (int32_t tile = 0; tile < p.tiles; ++tile) {
                    const TilePlace place = p.place(tile);
                    REQUIRE(place.feature >= 0);
                    REQUIRE(place.feature < features);
                    REQUIRE(place.token >= 0);
                    REQUIRE(place.token < tokens);
                    ++seen[static_cast<size_t>(place.feature * tokens + place.token)];
                }
                for (const int count : seen)
                    CHECK(count == 1);
            }
        }
}
