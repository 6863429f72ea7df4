// Catching core's one exception in a test of internals.
#pragma once

#include <utility>

#include "common/error.h"
#include "support/catch.h"

namespace marlin::test {

// The error that body() throws; a body that throws none fails the test.
template <typename Body>
Error error_of(Body &&body) {
    try {
        std::forward<Body>(body)();
    } catch (const Error &error) {
        return error;
    }
    FAIL("expected an error, none was thrown");
    return {Status::Success, ""};
}

inline bool contains(const std::string &text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

} // namespace marlin::test
