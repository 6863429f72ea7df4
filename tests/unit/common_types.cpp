// Types by number, name and width, and the exception that carries every failure.
#include <string>

#include "common/error.h"
#include "common/types.h"
#include "support/catch.h"
#include "support/errors.h"

using namespace marlin;

TEST_CASE("types have names, and numbers outside have one too") {
    CHECK(to_string(Type::None) == "none");
    CHECK(to_string(Type::F16) == "f16");
    CHECK(to_string(Type::BF16) == "bf16");
    CHECK(to_string(Type::F32) == "f32");
    CHECK(to_string(Type::S4) == "s4");
    CHECK(to_string(Type::U4) == "u4");
    CHECK(to_string(Type::U8) == "u8");
    CHECK(to_string(static_cast<Type>(-1)) == "unknown");
    CHECK(to_string(static_cast<Type>(kTypeCount)) == "unknown");
    for (int32_t i = 0; i < kTypeCount; ++i)
        for (int32_t j = 0; j < i; ++j)
            CHECK(to_string(static_cast<Type>(i)) != to_string(static_cast<Type>(j)));
}

TEST_CASE("types have widths and belong to one kind") {
    CHECK(size_of(Type::None) == 0);
    CHECK(size_of(Type::F16) == 2);
    CHECK(size_of(Type::BF16) == 2);
    CHECK(size_of(Type::F32) == 4);
    CHECK(size_of(Type::S4) == 1);
    CHECK(size_of(Type::U8) == 1);
    for (int32_t i = -1; i <= kTypeCount; ++i) {
        const auto type = static_cast<Type>(i);
        CHECK(is_half(type) == (i == 1 || i == 2));
        CHECK(is_float(type) == (i >= 1 && i <= 3));
        CHECK(is_code4(type) == (i == 4 || i == 5));
    }
}

TEST_CASE("an error carries status and text, and what() is the text") {
    const Error error =
        test::error_of([] { fail(Status::InvalidArgument, "lda is {}, expected 0 or >= {} = {}", 100, "k", 4096); });
    CHECK(error.status() == Status::InvalidArgument);
    CHECK(error.text() == "lda is 100, expected 0 or >= k = 4096");
    CHECK(std::string(error.what()) == error.text());
}
