// Element types by number and by name: the one place that knows their widths.
#pragma once

#include <cstdint>
#include <string_view>

namespace marlin {

// The numbers are those of marlin_type; capi/src/abi_check.cpp compares them.
enum class Type : int32_t {
    None = 0,
    F16 = 1,
    BF16 = 2,
    F32 = 3,
    S4 = 4,
    U4 = 5,
    S8 = 6,
    F8E4M3 = 7,
    S3 = 8,
    U3 = 9,
    U8 = 10,
};
inline constexpr int32_t kTypeCount = 11;

constexpr std::string_view to_string(Type type) {
    constexpr std::string_view names[kTypeCount] = {"none", "f16",    "bf16", "f32", "s4", "u4",
                                                    "s8",   "f8e4m3", "s3",   "u3",  "u8"};
    const auto index = static_cast<int32_t>(type);
    return index >= 0 && index < kTypeCount ? names[index] : std::string_view("unknown");
}

// Bytes of one element as it stands in an array of values; codes below 8 bits take a byte each there.
constexpr int64_t size_of(Type type) {
    switch (type) {
    case Type::None:
        return 0;
    case Type::F16:
    case Type::BF16:
        return 2;
    case Type::F32:
        return 4;
    default:
        return 1;
    }
}

constexpr bool is_float(Type type) {
    return type == Type::F16 || type == Type::BF16 || type == Type::F32;
}
constexpr bool is_half(Type type) {
    return type == Type::F16 || type == Type::BF16;
}
constexpr bool is_code4(Type type) {
    return type == Type::S4 || type == Type::U4;
}

// group_size of weights whose columns have a single scale each; the number of MARLIN_GROUP_PER_COLUMN.
inline constexpr int64_t kGroupPerColumn = -1;

} // namespace marlin
