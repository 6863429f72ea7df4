// Asking the processor for its instruction sets.
#include "cpu/isa.h"

#include <cpuid.h>

namespace marlin::cpu {
namespace {

// Clang does not know this one by name.
bool has_f16c() {
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}

} // namespace

// __builtin_cpu_supports reads cpuid once, and xgetbv for what the operating system saves on a context switch.
Isa machine_isa() {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !has_f16c())
        return Isa::Reference;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512dq"))
        return Isa::Avx2;
    return __builtin_cpu_supports("avx512bf16") ? Isa::Avx512Bf16 : Isa::Avx512;
}

} // namespace marlin::cpu
