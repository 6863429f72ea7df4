// The C interface for tests: handles that destroy themselves, structs with their size set, and checks of refusals.
#pragma once

#include <initializer_list>
#include <string>

#include "marlin/marlin.h"
#include "support/catch.h"

namespace marlin::test {

template <typename T>
T with_size() {
    T value = {};
    value.struct_size = sizeof(T);
    return value;
}

inline marlin_handle_desc cpu_desc(int32_t threads = 2) {
    auto desc = with_size<marlin_handle_desc>();
    desc.device = MARLIN_DEVICE_CPU;
    desc.num_threads = threads;
    return desc;
}

inline std::string last_error(marlin_handle_t handle) {
    std::string text(marlin_last_error(handle, nullptr, 0), '\0');
    marlin_last_error(handle, text.data(), text.size() + 1);
    return text;
}

class Handle {
public:
    Handle() : Handle(cpu_desc()) {}
    explicit Handle(const marlin_handle_desc &desc) {
        const marlin_status status = marlin_handle_create(&desc, &handle_);
        INFO(last_error(nullptr));
        REQUIRE(status == MARLIN_SUCCESS);
        REQUIRE(handle_ != nullptr);
    }
    ~Handle() { marlin_handle_destroy(handle_); }
    Handle(const Handle &) = delete;
    Handle &operator=(const Handle &) = delete;

    operator marlin_handle_t() const { return handle_; }

private:
    marlin_handle_t handle_ = nullptr;
};

inline marlin_handle_info info_of(marlin_handle_t handle) {
    auto info = with_size<marlin_handle_info>();
    REQUIRE(marlin_handle_get_info(handle, &info) == MARLIN_SUCCESS);
    return info;
}

// After a call: its status, and a last error that names all the parts.
inline void check_refusal(marlin_status got, marlin_status wanted, marlin_handle_t handle,
                          std::initializer_list<std::string> parts) {
    const std::string text = last_error(handle);
    CAPTURE(text);
    CHECK(std::string(marlin_status_name(got)) == marlin_status_name(wanted));
    for (const std::string &part : parts)
        CHECK_THAT(text, Catch::Matchers::Contains(part));
}

inline void check_success(marlin_status got, marlin_handle_t handle) {
    INFO(last_error(handle));
    CHECK(std::string(marlin_status_name(got)) == "MARLIN_SUCCESS");
}

} // namespace marlin::test

// CHECK_REFUSED(handle, status, call, "lda is 3", "expected"): keeps the line and the call in the report.
#define CHECK_REFUSED(handle, status, call, ...)                                                                       \
    do {                                                                                                               \
        INFO(__FILE__ << ":" << __LINE__ << ": " << #call);                                                            \
        ::marlin::test::check_refusal((call), (status), (handle), {__VA_ARGS__});                                      \
    } while (false)

#define CHECK_SUCCESS(handle, call)                                                                                    \
    do {                                                                                                               \
        INFO(__FILE__ << ":" << __LINE__ << ": " << #call);                                                            \
        ::marlin::test::check_success((call), (handle));                                                               \
    } while (false)
