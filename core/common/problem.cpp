// The text form of a problem: printing and reading.
#include "common/problem.h"

#include <charconv>
#include <optional>
#include <vector>

#include "common/error.h"

namespace marlin {
namespace {

std::vector<std::string_view> split_words(std::string_view text) {
    std::vector<std::string_view> words;
    text = text.substr(0, text.find('#')); // a comment, such as the kernel's name in the log
    while (!text.empty()) {
        const size_t end = text.find_first_of(" \t\r\n,");
        if (end != 0)
            words.push_back(text.substr(0, end));
        if (end == std::string_view::npos)
            break;
        text.remove_prefix(end + 1);
    }
    return words;
}

std::optional<Type> type_named(std::string_view name) {
    for (int32_t i = 1; i < kTypeCount; ++i)
        if (to_string(static_cast<Type>(i)) == name)
            return static_cast<Type>(i);
    return std::nullopt;
}

// The number behind a prefix: "m16" with "m" gives 16; nothing where the rest is no number, or a negative one.
std::optional<int64_t> number_after(std::string_view word, std::string_view prefix) {
    if (!word.starts_with(prefix))
        return std::nullopt;
    word.remove_prefix(prefix.size());
    int64_t value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (word.empty() || error != std::errc() || end != word.data() + word.size() || value < 0)
        return std::nullopt;
    return value;
}

// The type behind a prefix: "sbf16" with "s" gives BF16.
std::optional<Type> type_after(std::string_view word, std::string_view prefix) {
    return word.starts_with(prefix) ? type_named(word.substr(prefix.size())) : std::nullopt;
}

bool is_zero_type(Type type) {
    return type == Type::U8 || is_float(type);
}

bool read_number(std::string_view word, Problem &p) {
    struct Field {
        std::string_view prefix;
        int64_t &value;
    };
    for (const Field &field : {Field{"lda", p.lda}, Field{"ldc", p.ldc}, Field{"m", p.m}, Field{"n", p.n},
                               Field{"k", p.k}, Field{"g", p.group_size}})
        if (const auto value = number_after(word, field.prefix)) {
            field.value = *value;
            return true;
        }
    return false;
}

bool read_word(std::string_view word, Problem &p) {
    if (word == "gcol")
        p.group_size = kGroupPerColumn;
    else if (word == "bias")
        p.bias = true;
    else if (word == "perm")
        p.act_order = true;
    else if (const auto bias = type_after(word, "bias"); bias && is_float(*bias)) {
        p.bias = true;
        p.bias_type = *bias;
    } else if (const auto c = type_after(word, "c"); c && is_float(*c))
        p.c_type = *c;
    else if (const auto scale = type_after(word, "s"); scale && is_half(*scale))
        p.scale_type = *scale;
    else if (const auto zero = type_after(word, "z"); zero && is_zero_type(*zero))
        p.zero_type = *zero;
    else
        return read_number(word, p);
    return true;
}

// What single words cannot show: sizes that are missing or do not fit each other.
void check_whole(const Problem &p, std::string_view text) {
    if (p.n < 1 || p.k < 1)
        fail(Status::InvalidArgument, "problem \"{}\": n, k are {}, {}, expected 1 or more of both", text, p.n, p.k);
    if (p.group_size == 0)
        fail(Status::InvalidArgument, "problem \"{}\": group_size is 0, expected a word such as g128, or gcol", text);
    if (p.lda < p.k)
        fail(Status::InvalidArgument, "problem \"{}\": lda is {}, expected at least k = {}", text, p.lda, p.k);
    if (p.ldc < p.n)
        fail(Status::InvalidArgument, "problem \"{}\": ldc is {}, expected at least n = {}", text, p.ldc, p.n);
    if (p.type == Type::S4 && p.zero_type != Type::None)
        fail(Status::InvalidArgument, "problem \"{}\": zero type is {}, expected none for s4", text,
             to_string(p.zero_type));
}

} // namespace

std::string to_text(const Problem &p) {
    std::string text = fmt::format("{} {} {}", p.sparse ? "sp_gemm" : "gemm", to_string(p.a_type), to_string(p.type));
    text += p.group_size == kGroupPerColumn ? std::string(" gcol") : fmt::format(" g{}", p.group_size);
    text += fmt::format(" m{} n{} k{}", p.m, p.n, p.k);
    if (p.c_type != p.a_type)
        text += fmt::format(" c{}", to_string(p.c_type));
    if (p.scale_type != Type::F16)
        text += fmt::format(" s{}", to_string(p.scale_type));
    if (p.zero_type != (p.type == Type::U4 ? Type::U8 : Type::None))
        text += fmt::format(" z{}", to_string(p.zero_type));
    if (p.bias)
        text += p.bias_type == Type::None || p.bias_type == p.c_type ? std::string(" bias")
                                                                     : fmt::format(" bias{}", to_string(p.bias_type));
    if (p.act_order)
        text += " perm";
    if (p.lda != 0 && p.lda != p.k)
        text += fmt::format(" lda{}", p.lda);
    if (p.ldc != 0 && p.ldc != p.n)
        text += fmt::format(" ldc{}", p.ldc);
    return text;
}

Problem problem_from_text(std::string_view text) {
    const std::vector<std::string_view> words = split_words(text);
    Problem p;
    if (words.size() < 3 || (words[0] != "gemm" && words[0] != "sp_gemm"))
        fail(Status::InvalidArgument,
             "problem is \"{}\", expected a form such as \"gemm f16 s4 g128 m16 n4096 k4096\" or \"sp_gemm ...\"",
             text);
    p.sparse = words[0] == "sp_gemm";
    const auto a_type = type_named(words[1]);
    const auto type = type_named(words[2]);
    if (!a_type || !is_float(*a_type))
        fail(Status::InvalidArgument, "problem \"{}\": activation type is {}, expected f16, bf16 or f32", text,
             words[1]);
    if (!type || !is_code4(*type))
        fail(Status::InvalidArgument, "problem \"{}\": weight type is {}, expected s4 or u4", text, words[2]);
    p.a_type = *a_type;
    p.c_type = *a_type;
    p.type = *type;
    p.zero_type = p.type == Type::U4 ? Type::U8 : Type::None;
    for (size_t i = 3; i < words.size(); ++i)
        if (!read_word(words[i], p))
            fail(Status::InvalidArgument, "problem \"{}\": word \"{}\" is not understood", text, words[i]);
    if (p.lda == 0)
        p.lda = p.k;
    if (p.ldc == 0)
        p.ldc = p.n;
    check_whole(p, text);
    return p;
}

} // namespace marlin
