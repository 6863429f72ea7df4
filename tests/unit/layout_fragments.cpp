// What the inner layouts promise to the instructions that read them: matrix fragments on NVIDIA, register lanes on
// CPUs.
#include <array>
#include <vector>

#include "layout/positions.h"
#include "support/catch.h"

using namespace marlin;

namespace {

// The element (row, column) of operand A that register `r` of a lane holds in its lower (h = 0) or upper half, for
// mma.m16n8k16 with 16-bit types.
// Source: NVIDIA, PTX ISA, "Matrix Fragments for mma.m16n8k16 with floating point type": element a_i, i = 2 r + h, is
// in row groupID for i = 0, 1, 4, 5 and groupID + 8 otherwise, column threadID_in_group * 2 + (i & 1), + 8 for i >= 4.
struct FragmentElement {
    int64_t row;
    int64_t column;
};
FragmentElement fragment_element(int64_t lane, int64_t r, int64_t h) {
    const int64_t i = 2 * r + h;
    const int64_t group_id = lane >> 2;
    const int64_t thread_in_group = lane % 4;
    const bool upper_row = !(i < 2 || (i >= 4 && i < 6));
    return {group_id + (upper_row ? 8 : 0), thread_in_group * 2 + (i & 1) + (i >= 4 ? 8 : 0)};
}

// 64 features x 64 rows, one byte a code, packed by the layout's index function.
using Codes = std::array<std::array<unsigned, 64>, 64>;

Codes distinct_codes(unsigned seed) {
    Codes codes;
    for (unsigned k = 0; k < 64; ++k)
        for (unsigned n = 0; n < 64; ++n)
            codes[k][n] = (k * 37 + n * 11 + k * n * 3 + (k >> 3) * (n >> 2) + seed) % 16;
    return codes;
}

std::vector<unsigned char> pack_block(Layout layout, const Codes &codes) {
    std::vector<unsigned char> bytes(2048, 0);
    for (int64_t k = 0; k < 64; ++k)
        for (int64_t n = 0; n < 64; ++n) {
            const BitsAt at = code_at(layout, k, n);
            bytes.at(static_cast<size_t>(at.byte)) |=
                static_cast<unsigned char>(codes[static_cast<size_t>(k)][static_cast<size_t>(n)] << at.shift);
        }
    return bytes;
}

uint32_t word_at(const std::vector<unsigned char> &bytes, int64_t offset) {
    uint32_t word = 0;
    for (int i = 3; i >= 0; --i)
        word = word << 8 | bytes.at(static_cast<size_t>(offset + i));
    return word;
}

} // namespace

TEST_CASE("one 16-byte load of an NVIDIA lane is its A fragments of four mma.m16n8k16") {
    for (unsigned seed = 0; seed < 4; ++seed) {
        const Codes codes = distinct_codes(seed);
        const std::vector<unsigned char> bytes = pack_block(Layout::Dense, codes);
        int wrong = 0;
        for (int64_t row_group = 0; row_group < 4; ++row_group)
            for (int64_t lane = 0; lane < 32; ++lane)
                for (int64_t step = 0; step < 4; ++step) {
                    const uint32_t word = word_at(bytes, row_group * 512 + lane * 16 + step * 4);
                    for (int64_t r = 0; r < 4; ++r) {
                        // Features are the M side of the instruction, k its columns.
                        const uint32_t pair = (word >> (4 * r)) & 0x000f000fu;
                        for (int64_t h = 0; h < 2; ++h) {
                            const FragmentElement e = fragment_element(lane, r, h);
                            const unsigned wanted = codes[static_cast<size_t>(16 * step + e.column)]
                                                         [static_cast<size_t>(16 * row_group + e.row)];
                            wrong += ((pair >> (16 * h)) & 0xffffu) == wanted ? 0 : 1;
                        }
                    }
                }
        CHECK(wrong == 0);
    }
}

// mma.sp.m16n8k32 holds 16 x 16 kept values in the registers of mma.m16n8k16, two kept values of four consecutive
// columns side by side. Source: PTX ISA, "Matrix fragments for sparse mma.m16n8k32 with .f16 and .bf16 types": column
// threadID_in_group * 4 for i < 4, + 16 otherwise, up to 3 further.
TEST_CASE("kept values of 2:4 weights fill the registers of mma.sp.m16n8k32 in the order of their quads") {
    int wrong = 0;
    for (int64_t lane = 0; lane < 32; ++lane)
        for (int64_t r = 0; r < 4; ++r)
            for (int64_t h = 0; h < 2; ++h) {
                const int64_t i = 2 * r + h;
                const int64_t first_column = lane % 4 * 4 + (i >= 4 ? 16 : 0);
                const FragmentElement e = fragment_element(lane, r, h);
                const int64_t quad = first_column / 4;
                const BitsAt at = code_at(Layout::Sparse24Draft, 2 * quad + h, e.row);
                const int64_t nibble = r + 4 * h;
                wrong += at.byte == lane * 16 + nibble / 2 && at.shift == nibble % 2 * 4 ? 0 : 1;
            }
    CHECK(wrong == 0);
}

// The operand e of a lane: 16 bits for eight kept values of four quads, position of each in two bits, lowest first;
// lane 4 g + half has features g (low half) and g + 8 (high half), rows 16 * half .. 16 * half + 15 of the step.
TEST_CASE("metadata words of 2:4 weights hold a lane's eight kept positions of two features") {
    int wrong = 0;
    for (int64_t feature = 0; feature < 64; ++feature)
        for (int64_t quad = 0; quad < 64; ++quad)
            for (int64_t slot = 0; slot < 2; ++slot) {
                const int64_t row = 4 * quad;
                const int64_t half = row % 32 / 16;
                const int64_t pair = feature % 8 * 2 + half;
                const int64_t word = row / 128 * 1024 + feature / 16 * 256 + pair * 16 + row % 128 / 32 * 4;
                const int64_t bit = (feature % 16 >= 8 ? 16 : 0) + (row % 16 / 4 * 2 + slot) * 2;
                const BitsAt at = metadata_at(Layout::Sparse24Draft, quad, slot, feature);
                wrong += at.byte * 8 + at.shift == word * 8 + bit ? 0 : 1;
            }
    CHECK(wrong == 0);
}

TEST_CASE("a CPU register shifted right by 4 j holds rows 2 j and 2 j + 1 of 16 features in its 16-bit lanes") {
    const Codes codes = distinct_codes(5);
    const std::vector<unsigned char> bytes = pack_block(Layout::CpuDraft, codes);
    int wrong = 0;
    for (int64_t chunk = 0; chunk < 8; ++chunk)
        for (int64_t block = 0; block < 4; ++block) {
            const int64_t at = chunk * 256 + block * 64;
            for (int64_t j = 0; j < 4; ++j)
                for (int64_t lane = 0; lane < 32; ++lane) {
                    const uint32_t word = word_at(bytes, at + lane / 2 * 4) >> (lane % 2 * 16) & 0xffffu;
                    const unsigned nibble = (word >> (4 * j)) & 15u;
                    const auto k = static_cast<size_t>(8 * chunk + 2 * j + lane % 2);
                    const auto n = static_cast<size_t>(16 * block + lane / 2);
                    wrong += nibble == codes[k][n] ? 0 : 1;
                }
        }
    CHECK(wrong == 0);
}

TEST_CASE("CPU metadata lines up with the codes: lane 2 feature + slot, two bits a quad") {
    int wrong = 0;
    for (int64_t feature = 0; feature < 64; ++feature)
        for (int64_t quad = 0; quad < 32; ++quad)
            for (int64_t slot = 0; slot < 2; ++slot) {
                const BitsAt meta = metadata_at(Layout::CpuSparse24Draft, quad, slot, feature);
                const BitsAt code = code_at(Layout::CpuSparse24Draft, 2 * quad + slot, feature);
                // Four chunks of codes (8 stored rows each) share one chunk of metadata: same 16-bit lane.
                wrong += meta.byte / 256 == code.byte / 256 / 2 && meta.byte % 256 / 2 == code.byte % 256 / 2 ? 0 : 1;
                wrong += meta.byte % 2 * 8 + meta.shift == quad % 8 * 2 ? 0 : 1;
            }
    CHECK(wrong == 0);
}

TEST_CASE("stored nibbles differ from codes by the bit that makes them two's complement on CPUs only") {
    CHECK(code_xor(Layout::Dense) == 0);
    CHECK(code_xor(Layout::Sparse24Draft) == 0);
    for (const Layout layout : {Layout::CpuDraft, Layout::CpuSparse24Draft})
        for (int code = 0; code < 16; ++code) {
            const int stored = code ^ static_cast<int>(code_xor(layout));
            CHECK((stored >= 8 ? stored - 16 : stored) == code - 8);
        }
}
