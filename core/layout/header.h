// The 256 bytes in front of packed weights: what they are, how long, and whether they are still whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "layout/geometry.h"

namespace marlin {

inline constexpr int64_t kHeaderSize = 256;

// Little-endian, fixed for every layout number, drafts included.
struct PackedHeader {
    char magic[8];        // "MARLINW" and a zero byte
    uint32_t header_size; // 256
    int32_t layout;
    int32_t type;
    int32_t scale_type;
    int32_t zero_type;
    uint32_t flags; // HeaderFlags
    int64_t k;      // rows of the source
    int64_t n;
    int64_t group_size;
    int64_t k_packed;
    int64_t body_size;        // bytes behind the header
    uint64_t body_checksum;   // checksum() of the body
    uint8_t reserved[168];    // zero
    uint64_t header_checksum; // checksum() of the 248 bytes before
};
static_assert(sizeof(PackedHeader) == kHeaderSize);
static_assert(offsetof(PackedHeader, header_checksum) == kHeaderSize - 8);

enum HeaderFlags : uint32_t {
    kFlagSparse24 = 1u << 0,
    kFlagPerm = 1u << 1,
    kFlagColumnScales = 1u << 2,
    kKnownFlags = kFlagSparse24 | kFlagPerm | kFlagColumnScales,
};

// One 64-bit word of the checksum at its index: a bijective mix (the finaliser of SplitMix64, Steele et al. 2014), so
// that a changed, moved or swapped word changes the sum. The sum over all words modulo 2^64 is the same in any order,
// hence on any number of threads.
inline constexpr uint64_t kChecksumStep = 0x9e3779b97f4a7c15ull;
MARLIN_HD constexpr uint64_t checksum_mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}
MARLIN_HD constexpr uint64_t checksum_word(uint64_t word, uint64_t index) {
    return checksum_mix(word + (index + 1) * kChecksumStep);
}

// Sum of checksum_word over little-endian 64-bit words; the size is a multiple of 8.
uint64_t checksum(std::span<const std::byte> bytes);

// What the header and body of packed bytes say, for reading. Pointers go into the packed bytes.
struct WeightsView {
    Geometry geometry;
    int64_t k = 0;
    int64_t n = 0;
    const std::byte *body = nullptr;
    const int32_t *perm = nullptr;
    const float *column_scales = nullptr;

    MARLIN_HD bool sparse() const { return geometry.sparse(); }
    MARLIN_HD const PackedShape &shape() const { return geometry.shape; }
};

// The header for these weights, checksum of the body included.
PackedHeader make_header(const Geometry &geometry, int64_t k, std::span<const std::byte> body);
PackedHeader make_header(const Geometry &geometry, int64_t k, uint64_t body_checksum);

// Reads and checks a header alone. packed_size is that of the whole buffer. Anything damaged, unknown or too short is
// Status::BadPackedData. The view's pointers are body-relative to `body` (which may be device memory: not touched).
WeightsView read_header(const PackedHeader &header, int64_t packed_size, const std::byte *body);

// What reading the body checks. The checksum guards against accidents; a permutation that points outside A would be a
// read out of bounds.
void check_body_checksum(const PackedHeader &header, uint64_t found);
void check_perm_entries(std::span<const int32_t> perm, int64_t k);

// read_header, and the checksum of a body that the CPU can read.
WeightsView attach_host(std::span<const std::byte> packed);

} // namespace marlin
