// Building the position table of a run, and moving codes and metadata through it.
#include "pack/run_table.h"

namespace marlin {

RunTable::RunTable(const Geometry &geometry)
    : flip_(static_cast<uint8_t>(code_xor(geometry.shape.layout) * 0x11u)),
      codes_(static_cast<size_t>(geometry.codes_size)), metadata_(static_cast<size_t>(geometry.metadata_size)) {
    const Layout layout = geometry.shape.layout;
    const int64_t stored_rows = geometry.sparse() ? geometry.run_k / 2 : geometry.run_k;
    for (int64_t row = 0; row < stored_rows; ++row)
        for (int64_t feature = 0; feature < kColumnFeatures; ++feature) {
            const auto index = static_cast<uint16_t>(row * kColumnFeatures + feature);
            const BitsAt at = code_at(layout, row, feature);
            CodeByte &byte = codes_[static_cast<size_t>(at.byte)];
            (at.shift == 0 ? byte.low : byte.high) = index;
            if (geometry.sparse()) {
                const BitsAt meta = metadata_at(layout, row / 2, row % 2, feature);
                metadata_[static_cast<size_t>(meta.byte)].field[meta.shift / 2] = index;
            }
        }
}

void RunTable::write_codes(const uint8_t *codes, std::byte *run) const {
    for (size_t i = 0; i < codes_.size(); ++i)
        run[i] = static_cast<std::byte>((codes[codes_[i].low] | codes[codes_[i].high] << 4) ^ flip_);
}

void RunTable::read_codes(const std::byte *run, uint8_t *codes) const {
    for (size_t i = 0; i < codes_.size(); ++i) {
        const unsigned byte = std::to_integer<unsigned>(run[i]) ^ flip_;
        codes[codes_[i].low] = static_cast<uint8_t>(byte & 15u);
        codes[codes_[i].high] = static_cast<uint8_t>(byte >> 4);
    }
}

void RunTable::write_metadata(const uint8_t *positions, std::byte *metadata) const {
    for (size_t i = 0; i < metadata_.size(); ++i) {
        const uint16_t *field = metadata_[i].field;
        metadata[i] = static_cast<std::byte>(positions[field[0]] | positions[field[1]] << 2 | positions[field[2]] << 4 |
                                             positions[field[3]] << 6);
    }
}

void RunTable::read_metadata(const std::byte *metadata, uint8_t *positions) const {
    for (size_t i = 0; i < metadata_.size(); ++i) {
        const unsigned byte = std::to_integer<unsigned>(metadata[i]);
        for (int f = 0; f < 4; ++f)
            positions[metadata_[i].field[f]] = static_cast<uint8_t>(byte >> (2 * f) & 3u);
    }
}

} // namespace marlin
