// The checksum of the packed body, added up by those who write it, so that nobody reads it again.
#pragma once

#include "cuda/pack/block.h"
#include "layout/header.h"

namespace marlin::cuda {

// Where the threads of a grid add up: many and far apart, so that they seldom meet.
inline constexpr int kSumSlots = 64;
inline constexpr int kSumStride = 16; // a line of the cache
// What each starts from, so that one fill makes them and task.failed_column ready.
inline constexpr uint64_t kEmptySlot = UINT64_MAX;

class BodySum {
public:
    MARLIN_HD explicit BodySum(std::byte *body) : body_(body) {}

    MARLIN_HD void store(std::byte *at, const Vector &vector) {
        store_vector(at, vector);
        const uint64_t place = place_of(at);
        sum_ += checksum_mix((vector.word[0] | uint64_t{vector.word[1]} << 32) + place);
        sum_ += checksum_mix((vector.word[2] | uint64_t{vector.word[3]} << 32) + place + kChecksumStep);
    }
    MARLIN_HD void store(std::byte *at, uint64_t word) {
        *reinterpret_cast<uint64_t *>(at) = word;
        sum_ += checksum_mix(word + place_of(at));
    }
    MARLIN_HD uint64_t value() const { return sum_; }

private:
    // What checksum_word() adds to the word there.
    MARLIN_HD uint64_t place_of(const std::byte *at) const {
        return (static_cast<uint64_t>(at - body_) / 8 + 1) * kChecksumStep;
    }

    std::byte *body_;
    uint64_t sum_ = 0;
};

} // namespace marlin::cuda
