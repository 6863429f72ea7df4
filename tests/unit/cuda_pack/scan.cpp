// Limits of scans against what is asked of each number.
#include "cuda/pack/scan.h"

#include "pack/limits.h"
#include "support/catch.h"

namespace marlin::test {
namespace {

using cuda::Scanned;

template <Scanned what>
bool refuses(uint32_t word, const cuda::ScanLimit &limit) {
    return cuda::scan_vector<what>({{0, 0, word, 0}}, limit.bias, 0) >= limit.limit;
}

} // namespace

TEST_CASE("a scan refuses the numbers that cannot be stored", "[pack]") {
    int different = 0;
    for (const Type stored : {Type::F16, Type::BF16, Type::F32}) {
        for (const Type type : {Type::F16, Type::BF16})
            for (uint32_t bits = 0; bits < 0x10000; ++bits) {
                const bool good = is_storable(half_to_f32(static_cast<uint16_t>(bits), type), stored);
                const cuda::ScanLimit limit = cuda::limit_of_numbers(type, stored);
                different += refuses<Scanned::Halves>(bits, limit) == good;
                different += refuses<Scanned::Halves>(bits << 16, limit) == good;
            }
        const cuda::ScanLimit limit = cuda::limit_of_numbers(Type::F32, stored);
        for (uint32_t high = 0; high < 0x10000; ++high)
            for (const uint32_t low : {0x0000u, 0x0001u, 0x7fffu, 0x8000u, 0xefffu, 0xf000u, 0xffffu}) {
                const uint32_t bits = high << 16 | low;
                different += refuses<Scanned::Floats>(bits, limit) == is_storable(std::bit_cast<float>(bits), stored);
            }
    }
    CHECK(different == 0);
}

TEST_CASE("a scan refuses bytes that are no codes", "[pack]") {
    for (const uint32_t bias : {0u, 8u})
        for (uint32_t byte = 0; byte < 256; ++byte)
            for (int shift = 0; shift < 32; shift += 8) {
                const uint32_t code = (byte + bias) & 255u;
                // What stands beside it is -1, or 15.
                const uint32_t others = bias == 0 ? 0x0f0f0f0fu : ~0u;
                const uint32_t word = (others & ~(255u << shift)) | byte << shift;
                CHECK(refuses<Scanned::Codes>(word, cuda::limit_of_codes(bias)) == (code > 15));
            }
}

} // namespace marlin::test
