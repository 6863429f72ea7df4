// Part of marlin.hpp: the exception of all refused calls, and how a status becomes one.
#ifndef MARLIN_HPP_ERROR_HPP
#define MARLIN_HPP_ERROR_HPP

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <marlin/hpp/names.hpp>

namespace marlin {

inline const char *to_string(Status status) noexcept { // "MARLIN_NOT_SUPPORTED"
    return marlin_status_name(static_cast<marlin_status>(status));
}

// What every refused call throws. what() is the library's sentence: "desc.lda is 100, expected 0 or >= k = 4096".
class Error : public std::runtime_error {
public:
    Error(Status status, const std::string &text) : std::runtime_error(text), status_(status) {}
    Status status() const noexcept { return status_; }

private:
    Status status_;
};

[[noreturn]] inline void raise(Status status, const std::string &text) {
#if defined(__cpp_exceptions)
    throw Error(status, text);
#else
    std::fprintf(stderr, "libmarlin: %s: %s\n", to_string(status), text.c_str());
    std::abort();
#endif
}

// The text of the handle's last failed call; of this thread's last one without a usable handle where that is nullptr.
inline std::string last_error(marlin_handle_t handle) {
    std::string text(marlin_last_error(handle, nullptr, 0), '\0');
    const std::size_t size = marlin_last_error(handle, text.data(), text.size() + 1);
    text.resize(std::min(text.size(), size));
    return text;
}

// For calls of marlin.h: throws what a status says went wrong.
inline void check(marlin_handle_t handle, marlin_status status) {
    if (status != MARLIN_SUCCESS)
        raise(static_cast<Status>(status), last_error(handle));
}

} // namespace marlin

#endif // MARLIN_HPP_ERROR_HPP
