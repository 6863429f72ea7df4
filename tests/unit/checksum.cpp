// What the checksum of packed bytes notices, and that flipped bits never attach.
#include <algorithm>
#include <set>
#include <vector>

#include "layout/header.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/packed_bytes.h"

using namespace marlin;
using test::PackedBytes;
using test::Random;

namespace {

std::vector<std::byte> random_bytes(size_t size, uint64_t seed) {
    Random random(seed);
    std::vector<std::byte> bytes(size);
    for (std::byte &byte : bytes)
        byte = static_cast<std::byte>(random.next());
    return bytes;
}

PackedBytes random_weights(Random &random) {
    PackedShape shape;
    shape.layout = random.pick({Layout::Dense, Layout::Sparse24Draft, Layout::CpuDraft, Layout::CpuSparse24Draft});
    shape.zero_type = random.pick({Type::None, Type::U8, Type::F32});
    shape.type = shape.zero_type == Type::None ? Type::S4 : Type::U4;
    shape.group_size = random.pick({int64_t{32}, int64_t{128}, kGroupPerColumn});
    shape.k_packed = run_rows(shape.layout, shape.group_size) * random.between(1, 3);
    shape.n = random.between(1, 130);
    shape.has_perm = random.chance();
    shape.has_column_scales = random.chance();
    return PackedBytes(shape, shape.k_packed - random.between(0, 31), random.next());
}

} // namespace

TEST_CASE("one changed bit anywhere changes the checksum") {
    std::vector<std::byte> bytes = random_bytes(512, 3);
    const uint64_t right = checksum(bytes);
    int unnoticed = 0;
    for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        bytes[bit / 8] ^= std::byte{1} << (bit % 8);
        unnoticed += checksum(bytes) == right ? 1 : 0;
        bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    }
    CHECK(unnoticed == 0);
    CHECK(checksum(bytes) == right);
}

TEST_CASE("swapped, moved and shortened words change the checksum, and zeros have one each length") {
    const std::vector<std::byte> bytes = random_bytes(256, 4);
    const uint64_t right = checksum(bytes);
    for (size_t i = 0; i < 32; ++i)
        for (size_t j = 0; j < i; ++j) {
            std::vector<std::byte> swapped = bytes;
            std::swap_ranges(swapped.begin() + static_cast<std::ptrdiff_t>(8 * i),
                             swapped.begin() + static_cast<std::ptrdiff_t>(8 * i + 8),
                             swapped.begin() + static_cast<std::ptrdiff_t>(8 * j));
            REQUIRE(checksum(swapped) != right);
        }
    std::set<uint64_t> sums;
    for (size_t words = 0; words <= 64; ++words)
        sums.insert(checksum(std::vector<std::byte>(8 * words)));
    CHECK(sums.size() == 65);
}

TEST_CASE("the checksum is a sum over words, the same in any order of adding") {
    const std::vector<std::byte> bytes = random_bytes(1024, 5);
    uint64_t sum = 0;
    for (size_t i = 128; i-- > 0;) {
        uint64_t word = 0;
        for (size_t j = 8; j-- > 0;)
            word = word << 8 | std::to_integer<uint64_t>(bytes[8 * i + j]); // little-endian
        sum += checksum_word(word, i);
    }
    CHECK(sum == checksum(bytes));
    CHECK(checksum({}) == 0);
}

TEST_CASE("packed bytes with flipped bits never attach, wherever the bits are") {
    Random random(20260101);
    for (int round = 0; round < 60; ++round) {
        PackedBytes packed = random_weights(random);
        REQUIRE_NOTHROW(attach_host(packed.bytes()));
        for (int flips = 0; flips < 20; ++flips) {
            const auto bit = static_cast<size_t>(
                flips % 2 == 0 ? random.between(0, kHeaderSize * 8 - 1)
                               : random.between(0, static_cast<int64_t>(packed.bytes().size()) * 8 - 1));
            packed.bytes()[bit / 8] ^= std::byte{1} << (bit % 8);
            const Error error = test::error_of([&] { attach_host(packed.bytes()); });
            REQUIRE(error.status() == Status::BadPackedData);
            packed.bytes()[bit / 8] ^= std::byte{1} << (bit % 8);
        }
        REQUIRE_NOTHROW(attach_host(packed.bytes()));
    }
}

TEST_CASE("random headers with right checksums are read or refused, never followed out of bounds") {
    Random random(77);
    int refused = 0;
    for (int round = 0; round < 2000; ++round) {
        PackedBytes packed = random_weights(random);
        // Small and large wrong values in the fields from layout to body_size.
        const auto field = static_cast<size_t>(random.between(3, 17)) * 4;
        const auto value = static_cast<uint32_t>(random.chance() ? random.between(0, 300) : random.next());
        std::memcpy(packed.bytes().data() + field, &value, sizeof value);
        packed.seal_header();
        try {
            const WeightsView view = attach_host(packed.bytes());
            REQUIRE(view.geometry.body_size <= static_cast<int64_t>(packed.bytes().size()) - kHeaderSize);
        } catch (const Error &error) {
            REQUIRE(error.status() == Status::BadPackedData);
            ++refused;
        }
    }
    CHECK(refused > 1000);
}
