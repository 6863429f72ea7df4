// Packed bytes made by hand from a shape: a right header around an arbitrary body, to be damaged by tests.
#pragma once

#include <cstring>
#include <span>
#include <vector>

#include "layout/header.h"
#include "support/random.h"

namespace marlin::test {

class PackedBytes {
public:
    PackedBytes(const PackedShape &shape, int64_t k, uint64_t seed)
        : geometry_(make_geometry(shape)), k_(k), chunks_(static_cast<size_t>(size()) / sizeof(Chunk)) {
        Random random(seed);
        for (std::byte &byte : body())
            byte = static_cast<std::byte>(random.next());
        for (int64_t i = 0; shape.has_perm && i < shape.k_packed; ++i)
            perm()[i] = static_cast<int32_t>(i < k ? k - 1 - i : -1);
        seal();
    }

    std::span<std::byte> bytes() { return std::as_writable_bytes(std::span(chunks_)); }
    std::span<const std::byte> bytes() const { return std::as_bytes(std::span(chunks_)); }
    std::span<std::byte> body() { return bytes().subspan(kHeaderSize); }
    PackedHeader &header() { return *reinterpret_cast<PackedHeader *>(chunks_.data()); }
    int32_t *perm() { return reinterpret_cast<int32_t *>(body().data() + geometry_.perm_offset); }

    // Header and both checksums anew.
    void seal() {
        const PackedHeader made = make_header(geometry_, k_, body());
        std::memcpy(chunks_.data(), &made, sizeof made);
    }
    // Only the header's own checksum anew, over whatever its fields say now.
    void seal_header() { header().header_checksum = checksum(bytes().first(offsetof(PackedHeader, header_checksum))); }

private:
    struct alignas(256) Chunk {
        std::byte bytes[256];
    };
    int64_t size() const { return kHeaderSize + geometry_.body_size; }

    Geometry geometry_;
    int64_t k_;
    std::vector<Chunk> chunks_;
};

} // namespace marlin::test
