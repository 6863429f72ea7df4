// Catch2 under one name: 2.13 (one header) and 3 (many), so that tests include this file only.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
// The names that moved into the namespace, or were renamed, between 2.13 and 3.
using Catch::Approx;
namespace Catch::Matchers {
inline auto Contains(const std::string &text) {
    return ContainsSubstring(text);
}
inline auto Contains(const char *text) {
    return ContainsSubstring(text); // else a literal would be searched for as an element
}
} // namespace Catch::Matchers
#else
#include <catch2/catch.hpp>
#endif
