// What the tests of marlin.hpp share: a CPU handle, files of tests/golden, and half floats by their definition.
#pragma once

#include <cstring>
#include <fstream>
#include <iterator>
#include <marlin/marlin.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/float_formats.h"

namespace marlin::test {

inline HandleOptions cpu_options(int threads = 2) {
    HandleOptions options;
    options.device = Device::Cpu;
    options.num_threads = threads;
    return options;
}

inline std::string golden_file(const std::string &name) {
    std::ifstream file(std::string(MARLIN_TESTS_DIR "/golden/") + name, std::ios::binary);
    INFO(name);
    REQUIRE(file.good());
    return {std::istreambuf_iterator<char>(file), {}};
}

inline nlohmann::json golden_json(const std::string &name) {
    return nlohmann::json::parse(golden_file(name));
}

// A file's bytes where packed weights may lie.
inline std::shared_ptr<void> in_memory(const std::string &bytes) {
    auto memory = host_memory(bytes.size());
    std::memcpy(memory.get(), bytes.data(), bytes.size());
    return memory;
}

inline std::vector<std::uint16_t> encoded(const std::vector<double> &values, HalfFormat format) {
    std::vector<std::uint16_t> bits;
    for (const double value : values)
        bits.push_back(encode_half(value, format));
    return bits;
}

// The error that body() throws.
template <typename Body>
Error refusal(Body &&body) {
    try {
        body();
    } catch (const Error &error) {
        return error;
    }
    return {Status::Success, "nothing was thrown"};
}

} // namespace marlin::test
