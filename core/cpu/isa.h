// Which instruction sets the CPU kernels are written for, and which of them this machine has.
#pragma once

#include <cstdint>
#include <string_view>

namespace marlin::cpu {

// The numbers are the values of Option::CpuIsa; each includes all before it.
enum class Isa : int32_t { Best = 0, Reference = 1, Avx2 = 2, Avx512 = 3, Avx512Bf16 = 4 };
inline constexpr int32_t kIsaCount = 5;

constexpr std::string_view to_string(Isa isa) {
    constexpr std::string_view names[kIsaCount] = {"best", "reference", "avx2", "avx512", "avx512_bf16"};
    const auto index = static_cast<int32_t>(isa);
    return index >= 0 && index < kIsaCount ? names[index] : std::string_view("unknown");
}

// The highest one that both processor and operating system (which must save the registers) support.
Isa machine_isa();

} // namespace marlin::cpu
