// A layout or a format turned inside out: which row and feature the bits at a place of its bytes belong to.
#pragma once

#include <bit>
#include <cstdint>

#include "common/host_device.h"
#include "cuda/pack/block.h"

namespace marlin::cuda {

inline constexpr int kMaxFieldBits = 13; // 128 rows x 64 features

// A sum of what each set bit of a number stands for. Neighbouring bits that stand for doubling amounts are taken
// together: what is constant is folded, and few instructions remain.
class BitSum {
public:
    constexpr BitSum() = default;
    constexpr explicit BitSum(const int (&amounts)[kMaxFieldBits]) {
        int count = 0;
        for (int b = 0; b < kMaxFieldBits; ++b) {
            const bool continues = b > 0 && amounts[b - 1] != 0 && amounts[b] == 2 * amounts[b - 1];
            if (amounts[b] == 0)
                continue;
            if (!continues)
                runs_[count++] = {b, 0, amounts[b]};
            runs_[count - 1].mask = 2 * runs_[count - 1].mask + 1;
        }
    }
    MARLIN_HD constexpr int of(int number) const {
        int sum = 0;
        MARLIN_UNROLL
        for (int r = 0; r < kMaxFieldBits; ++r)
            if (runs_[r].mask != 0)
                sum += (number >> runs_[r].shift & runs_[r].mask) * runs_[r].amount;
        return sum;
    }

private:
    struct Run {
        int shift = 0;
        int mask = 0; // 0: not there
        int amount = 0;
    };
    Run runs_[kMaxFieldBits];
};

// Inside a tile of 2^a rows x 2^b features, layouts and formats only move the bits of row and feature around. So the
// element of field number q is the sum of what each set bit of q stands for, and a few constants are the whole table.
struct FieldMap {
    int bits = 0;
    int row[kMaxFieldBits] = {};
    int feature[kMaxFieldBits] = {};
    BitSum row_sum = {};
    BitSum feature_sum = {};

    MARLIN_HD constexpr int row_of(int field) const { return row_sum.of(field); }
    MARLIN_HD constexpr int feature_of(int field) const { return feature_sum.of(field); }
};

// field_at(row, feature) numbers the fields from 0. Not a constant, hence refused by the compiler, where a bit of an
// index moves more than one bit of the field number.
template <typename FieldAt>
constexpr FieldMap invert(int rows, int features, FieldAt field_at) {
    FieldMap map;
    bool good = field_at(0, 0) == 0;
    const auto enter = [&](int row, int feature) {
        const auto field = static_cast<uint64_t>(field_at(row, feature));
        good = good && std::has_single_bit(field) && std::countr_zero(field) < kMaxFieldBits;
        const int bit = good ? std::countr_zero(field) : 0;
        map.row[bit] = row;
        map.feature[bit] = feature;
        ++map.bits;
    };
    for (int row = 1; row < rows; row *= 2)
        enter(row, 0);
    for (int feature = 1; feature < features; feature *= 2)
        enter(0, feature);
    map.row_sum = BitSum(map.row);
    map.feature_sum = BitSum(map.feature);
    return good ? map : throw "a layout that is more than a permutation of index bits";
}

// The same with elements as byte offsets into a tile.
struct OffsetMap {
    int offset[kMaxFieldBits] = {};
    BitSum sum = {};

    MARLIN_HD constexpr int of(int field) const { return sum.of(field); }
    // By half the field number, for fields that go by twos.
    constexpr OffsetMap without_first_bit() const {
        OffsetMap result;
        for (int b = 1; b < kMaxFieldBits; ++b)
            result.offset[b - 1] = offset[b];
        result.sum = BitSum(result.offset);
        return result;
    }
    // The field bit below `bits` that moves by so many bytes, -1 if there is none.
    constexpr int bit_that_moves(int distance, int bits) const {
        for (int b = 0; b < bits; ++b)
            if (offset[b] == distance)
                return b;
        return -1;
    }
};

// offset_of(row, feature) is a sum of what the bits of row and feature give, too.
template <typename OffsetOf>
constexpr OffsetMap place(const FieldMap &map, OffsetOf offset_of) {
    OffsetMap result;
    for (int b = 0; b < map.bits; ++b)
        result.offset[b] = offset_of(map.row[b], map.feature[b]);
    result.sum = BitSum(result.offset);
    return result;
}

} // namespace marlin::cuda
