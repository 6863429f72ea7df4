// The layout's position functions turned inside out: for every byte of a run, which (row, feature) its bits come from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "layout/geometry.h"

namespace marlin {

// The table is the same for every run and column, so the constexpr functions are asked once a call. An index counts
// row * 64 + feature over the stored rows of a run (2:4: 2 * quad + slot).
class RunTable {
public:
    explicit RunTable(const Geometry &geometry);

    void write_codes(const uint8_t *codes, std::byte *run) const;
    void read_codes(const std::byte *run, uint8_t *codes) const;
    // 2:4 positions 0..3 of kept values, at the run's metadata.
    void write_metadata(const uint8_t *positions, std::byte *metadata) const;
    void read_metadata(const std::byte *metadata, uint8_t *positions) const;

private:
    struct CodeByte {
        uint16_t low;
        uint16_t high;
    };
    struct MetadataByte {
        uint16_t field[4];
    };
    uint8_t flip_; // both nibbles of code_xor()
    std::vector<CodeByte> codes_;
    std::vector<MetadataByte> metadata_;
};

} // namespace marlin
