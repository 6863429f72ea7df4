// A small generator with a fixed sequence on every machine and library, so that a failing seed can be repeated.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace marlin::test {

// SplitMix64 (Steele, Lea, Flood 2014).
class Random {
public:
    explicit Random(uint64_t seed) : state_(seed) {}

    uint64_t next() {
        state_ += 0x9e3779b97f4a7c15ull;
        uint64_t x = state_;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
        return x ^ (x >> 31);
    }
    // lowest <= result <= highest; the slight bias of the modulus does not matter to tests.
    int64_t between(int64_t lowest, int64_t highest) {
        return lowest + static_cast<int64_t>(next() % (static_cast<uint64_t>(highest - lowest) + 1));
    }
    bool chance() { return (next() & 1) != 0; }
    // In [lowest, highest).
    double real(double lowest, double highest) {
        return lowest + (highest - lowest) * (static_cast<double>(next() >> 11) * 0x1p-53);
    }
    template <typename T>
    T pick(std::initializer_list<T> values) {
        return values.begin()[between(0, static_cast<int64_t>(values.size()) - 1)];
    }

private:
    uint64_t state_;
};

} // namespace marlin::test
