// Packed bytes as files: written, mapped, attached and multiplied without the source; damaged ones refused.
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/api_multiply.h"

using namespace marlin::test;

namespace {

// A file in memory, mapped for reading only: whoever writes to packed bytes ends the test program.
class MappedFile {
public:
    MappedFile(const void *bytes, size_t size) : size_(size) {
        const int file = memfd_create("packed weights", 0);
        REQUIRE(file >= 0);
        REQUIRE(write(file, bytes, size) == static_cast<ssize_t>(size));
        memory_ = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
        close(file);
        REQUIRE(memory_ != MAP_FAILED);
    }
    ~MappedFile() { munmap(memory_, size_); }
    MappedFile(const MappedFile &) = delete;
    MappedFile &operator=(const MappedFile &) = delete;

    const void *data() const { return memory_; }
    size_t size() const { return size_; }

private:
    void *memory_;
    size_t size_;
};

marlin_status attach(marlin_handle_t handle, const void *packed, size_t size, marlin_weights *weights) {
    return marlin_weights_attach(handle, packed, size, weights);
}

const WeightSpec kSpecs[] = {
    {},
    {.k = 100, .n = 70, .group_size = 32, .zero_type = MARLIN_TYPE_U8},
    {.k = 200, .n = 1, .group_size = MARLIN_GROUP_PER_COLUMN, .zero_type = MARLIN_TYPE_F32},
    {.k = 192, .n = 65, .group_size = 64, .act_order = true},
    {.k = 132, .n = 67, .group_size = 128, .sparse = true},
    {.k = 128, .n = 64, .layout = MARLIN_LAYOUT_DENSE},
    {.k = 128, .n = 64, .layout = MARLIN_LAYOUT_SPARSE24_DRAFT, .sparse = true},
};

} // namespace

TEST_CASE("packed bytes mapped from a file multiply without their source and without being written") {
    const Handle handle;
    for (const WeightSpec &spec : kSpecs) {
        TestWeights packed(handle, spec);
        const MappedFile file(packed.packed().data(), packed.get()->data_size);
        auto weights = with_size<marlin_weights>();
        CHECK_SUCCESS(handle, attach(handle, file.data(), file.size(), &weights));
        CHECK(weights.data == file.data());
        CHECK(weights.data_size == packed.get()->data_size);
        CHECK(weights.k == spec.k);
        CHECK(weights.n == spec.n);
        CHECK(weights.group_size == spec.group_size);
        CHECK(weights.layout == packed.get()->layout);
        CHECK((weights.perm != nullptr) == spec.act_order);
        const Handle other;
        Multiply multiply(packed.source(), 3);
        CHECK_SUCCESS(other, multiply.run(other, &weights));
        CHECK(multiply.right());
    }
}

TEST_CASE("packed bytes in a larger buffer attach, and say how long they are") {
    const Handle handle;
    TestWeights packed(handle, {});
    GuardedBuffer larger(packed.get()->data_size + 4096);
    std::memcpy(larger.data(), packed.packed().data(), packed.get()->data_size);
    auto weights = with_size<marlin_weights>();
    CHECK_SUCCESS(handle, attach(handle, larger.data(), larger.size(), &weights));
    CHECK(weights.data_size == packed.get()->data_size);
}

TEST_CASE("packed bytes must be 256-byte aligned") {
    const Handle handle;
    TestWeights packed(handle, {});
    for (const size_t offset : {1, 8, 128}) {
        GuardedBuffer moved(packed.get()->data_size, offset);
        std::memcpy(moved.data(), packed.packed().data(), packed.get()->data_size);
        auto weights = with_size<marlin_weights>();
        CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, attach(handle, moved.data(), moved.size(), &weights),
                      "packed is 0x", "expected a multiple of 256 bytes");
    }
}

TEST_CASE("damaged packed bytes are refused, wherever the damage is, and nothing is filled in") {
    const Handle handle;
    for (const WeightSpec &spec : kSpecs) {
        TestWeights packed(handle, spec);
        const size_t size = packed.get()->data_size;
        auto *bytes = packed.packed().as<unsigned char>();
        Random random(99);
        for (int round = 0; round < 200; ++round) {
            const auto bit = static_cast<size_t>(round < 100 ? random.between(0, 256 * 8 - 1)
                                                             : random.between(0, static_cast<int64_t>(size) * 8 - 1));
            bytes[bit / 8] ^= static_cast<unsigned char>(1u << (bit % 8));
            auto weights = with_size<marlin_weights>();
            const marlin_weights before = weights;
            REQUIRE(attach(handle, bytes, size, &weights) == MARLIN_BAD_PACKED_DATA);
            REQUIRE(std::memcmp(&before, &weights, sizeof weights) == 0);
            REQUIRE_FALSE(last_error(handle).empty());
            bytes[bit / 8] ^= static_cast<unsigned char>(1u << (bit % 8));
        }
        auto weights = with_size<marlin_weights>();
        CHECK_SUCCESS(handle, attach(handle, bytes, size, &weights));
    }
}

TEST_CASE("what is wrong with packed bytes is said with value and expectation") {
    const Handle handle;
    TestWeights packed(handle, {});
    auto *bytes = packed.packed().as<unsigned char>();
    const size_t size = packed.get()->data_size;
    auto weights = with_size<marlin_weights>();
    CHECK_REFUSED(handle, MARLIN_BAD_PACKED_DATA, attach(handle, bytes, 0, &weights), "packed_size is 0",
                  "expected at least 256");
    CHECK_REFUSED(handle, MARLIN_BAD_PACKED_DATA, attach(handle, bytes, 255, &weights), "packed_size is 255",
                  "expected at least 256");
    CHECK_REFUSED(handle, MARLIN_BAD_PACKED_DATA, attach(handle, bytes, size - 1, &weights),
                  "packed_size is " + std::to_string(size - 1), "expected at least the header and its body_size");
    CHECK_REFUSED(handle, MARLIN_INVALID_ARGUMENT, attach(handle, bytes, SIZE_MAX, &weights),
                  "packed_size is 18446744073709551615", "expected less than 2^63");
    bytes[size - 1] ^= 1;
    CHECK_REFUSED(handle, MARLIN_BAD_PACKED_DATA, attach(handle, bytes, size, &weights), "packed body: checksum is 0x",
                  "expected 0x", "the weights are damaged");
    bytes[size - 1] ^= 1;
    bytes[100] ^= 1;
    CHECK_REFUSED(handle, MARLIN_BAD_PACKED_DATA, attach(handle, bytes, size, &weights),
                  "packed header: checksum is 0x", "the header is damaged");
    bytes[100] ^= 1;
    bytes[0] = 'X';
    CHECK_REFUSED(handle, MARLIN_BAD_PACKED_DATA, attach(handle, bytes, size, &weights), "magic",
                  "these are not packed weights");
}
