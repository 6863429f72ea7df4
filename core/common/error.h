// The one exception of core: a status that says who must act, and a sentence that says what to change.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#ifndef FMT_HEADER_ONLY
#define FMT_HEADER_ONLY 1
#endif
#include <fmt/format.h>

namespace marlin {

// The numbers are those of marlin_status; capi/src/abi_check.cpp compares them.
enum class Status : int32_t {
    Success = 0,
    InvalidArgument = 1,
    NotSupported = 2,
    OutOfMemory = 3,
    WorkspaceTooSmall = 4,
    BadPackedData = 5,
    NotSparse = 6,
    DeviceError = 7,
    InternalError = 8,
};

class Error : public std::exception {
public:
    Error(Status status, std::string text) : status_(status), text_(std::move(text)) {}
    Status status() const noexcept { return status_; }
    const std::string &text() const noexcept { return text_; }
    const char *what() const noexcept override { return text_.c_str(); }

private:
    Status status_;
    std::string text_;
};

// Every text names the value and what was expected: fail(Status::InvalidArgument, "lda is {}, expected ...", lda).
template <typename... Args>
[[noreturn]] void fail(Status status, fmt::format_string<Args...> format, Args &&...args) {
    throw Error(status, fmt::format(format, std::forward<Args>(args)...));
}

} // namespace marlin
