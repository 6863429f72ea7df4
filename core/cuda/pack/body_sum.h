// The checksum of the packed body, added up by those who write it, so that nobody reads it again.
#pragma once

#include "cuda/pack/block.h"
#include "layout/header.h"

namespace marlin::cuda {

// Where the threads of a grid add up: many and far apart, so that they seldom meet.
inline constexpr int kSumSlots = 64;
inline constexpr int kSumStride = 16; // a line of the cache

class BodySum {
public:
    MARLIN_HD explicit BodySum(std::byte *body) : body_(body) {}

    MARLIN_HD void store(std::byte *at, const Vector &vector) {
        store_vector(at, vector);
        add(at, vector.word[0], vector.word[1]);
        add(at + 8, vector.word[2], vector.word[3]);
    }
    MARLIN_HD void store(std::byte *at, uint64_t word) {
        *reinterpret_cast<uint64_t *>(at) = word;
        add(at, static_cast<uint32_t>(word), static_cast<uint32_t>(word >> 32));
    }
    MARLIN_HD uint64_t value() const { return sum_; }

private:
    MARLIN_HD void add(const std::byte *at, uint32_t low, uint32_t high) {
        sum_ += checksum_word(low | uint64_t{high} << 32, static_cast<uint64_t>(at - body_) / 8);
    }

    std::byte *body_;
    uint64_t sum_ = 0;
};

} // namespace marlin::cuda
