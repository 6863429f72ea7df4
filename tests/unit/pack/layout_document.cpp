// docs/layouts.md against the constexpr functions: its tables are made anew here and must stand there word by word.
#include <cstddef>
#include <fstream>
#include <iterator>
#include <string>

#include "common/error.h"
#include "layout/header.h"
#include "support/catch.h"

namespace marlin::test {
namespace {

std::string header_table() {
    std::string out = "offset  size  field\n";
    const auto field = [&](size_t offset, size_t size, const char *name) {
        out += fmt::format("{:>6}  {:>4}  {}\n", offset, size, name);
    };
#define MARLIN_FIELD(name) field(offsetof(PackedHeader, name), sizeof(PackedHeader::name), #name)
    MARLIN_FIELD(magic);
    MARLIN_FIELD(header_size);
    MARLIN_FIELD(layout);
    MARLIN_FIELD(type);
    MARLIN_FIELD(scale_type);
    MARLIN_FIELD(zero_type);
    MARLIN_FIELD(flags);
    MARLIN_FIELD(k);
    MARLIN_FIELD(n);
    MARLIN_FIELD(group_size);
    MARLIN_FIELD(k_packed);
    MARLIN_FIELD(body_size);
    MARLIN_FIELD(body_checksum);
    MARLIN_FIELD(reserved);
    MARLIN_FIELD(header_checksum);
#undef MARLIN_FIELD
    return out;
}

std::string run_table() {
    constexpr const char *row = "{:<11}  {:>5}  {:>4}  {:>5}  {:>6}  {:>5}  {:>8}  {:>4}\n";
    std::string out = fmt::format(row, "layout", "group", "rows", "codes", "scales", "zeros", "metadata", "run");
    for (const Layout layout : {Layout::Dense, Layout::CpuSparse24Draft})
        for (const int64_t group_size : {int64_t{32}, int64_t{64}, int64_t{128}, kGroupPerColumn}) {
            PackedShape shape;
            shape.layout = layout;
            shape.type = Type::U4;
            shape.zero_type = Type::U8;
            shape.group_size = group_size;
            shape.k_packed = run_rows(layout, group_size);
            shape.n = 64;
            const Geometry g = make_geometry(shape);
            out += fmt::format(row, is_sparse24(layout) ? "2:4, both" : "dense, both", group_size, g.run_k,
                               g.codes_size, g.scales_size, g.zeros_size, g.metadata_size, g.run_size);
        }
    return out;
}

// Feature down, row across.
template <typename Cell>
std::string table(const char *across, int64_t rows, int64_t columns, Cell cell) {
    std::string out = fmt::format("{:<8}", across);
    for (int64_t c = 0; c < columns; ++c)
        out += fmt::format("{:>6}", c);
    for (int64_t r = 0; r < rows; ++r) {
        out += fmt::format("\n{:<8}", r);
        for (int64_t c = 0; c < columns; ++c)
            out += fmt::format("{:>6}", cell(r, c));
    }
    return out + "\n";
}

std::string nvidia_codes() {
    return table("f \\ row", 16, 16, [](int64_t f, int64_t row) {
        const BitsAt at = nvidia_code_at(row, f);
        return fmt::format("{}.{}", at.byte / 16, at.byte % 4 * 2 + at.shift / 4);
    });
}
std::string nvidia_metadata() {
    return table("f \\ quad", 16, 8, [](int64_t f, int64_t quad) {
        const BitsAt at = nvidia_metadata_at(quad, 0, f);
        return fmt::format("{}.{}", at.byte / 16, at.byte % 4 * 8 + at.shift);
    });
}
std::string cpu_codes() {
    return table("f \\ row", 16, 8, [](int64_t f, int64_t row) {
        const BitsAt at = cpu_code_at(row, f);
        return fmt::format("{}.{}", at.byte, at.shift);
    });
}
std::string cpu_metadata() {
    return table("f \\ quad", 16, 8, [](int64_t f, int64_t quad) {
        const BitsAt at = cpu_metadata_at(quad, 0, f);
        return fmt::format("{}.{}", at.byte, at.shift);
    });
}

} // namespace

TEST_CASE("the tables of docs/layouts.md are what the layout functions give", "[pack]") {
    std::ifstream file(MARLIN_TESTS_DIR "/../docs/layouts.md", std::ios::binary);
    REQUIRE(file.good());
    const std::string document{std::istreambuf_iterator<char>(file), {}};
    const auto stands_there = [&](const char *name, const std::string &expected) {
        CAPTURE(name, expected);
        const size_t heading = document.find(fmt::format("<!-- table: {} -->\n```\n", name));
        REQUIRE(heading != std::string::npos);
        const size_t begin = document.find("```\n", heading) + 4;
        CHECK(document.substr(begin, document.find("```", begin) - begin) == expected);
    };
    stands_there("header", header_table());
    stands_there("runs", run_table());
    stands_there("nvidia codes", nvidia_codes());
    stands_there("nvidia metadata", nvidia_metadata());
    stands_there("cpu codes", cpu_codes());
    stands_there("cpu metadata", cpu_metadata());
}

} // namespace marlin::test
