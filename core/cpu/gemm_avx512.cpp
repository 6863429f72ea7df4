// The kernels for AVX-512 without BF16 instructions.
#include "cpu/vector_avx512.h"

#include "cpu/fma_kernel.h"

namespace marlin::cpu {
namespace {

// Vectors of 16 features a tile: with 32 registers, rows x vectors accumulators and the decoded codes; activations
// come as broadcasts from memory.
template <bool sparse>
void multiply(const ColumnArgs &args) {
    switch (args.rows) {
    case 1:
        return fma_column<Avx512, sparse, 1, 4>(args);
    case 2:
        return fma_column<Avx512, sparse, 2, 4>(args);
    case 3:
        return fma_column<Avx512, sparse, 3, 4>(args);
    case 4:
        return fma_column<Avx512, sparse, 4, 4>(args);
    case 5:
        return fma_column<Avx512, sparse, 5, 2>(args);
    case 6:
        return fma_column<Avx512, sparse, 6, 2>(args);
    case 7:
        return fma_column<Avx512, sparse, 7, 2>(args);
    default:
        return fma_column<Avx512, sparse, 8, 2>(args);
    }
}

} // namespace

const Kernel kernel_avx512 = {
    "cpu_avx512", 3, Isa::Avx512, false, {{4, 8}, {4, 8}, {4, 8}}, repack_dense_f32<Avx512>, multiply<false>,
};
const Kernel kernel_avx512_24 = {
    "cpu_avx512_24", 13, Isa::Avx512, true, {{4, 8}, {4, 8}, {4, 8}}, repack_24_f32<Avx512>, multiply<true>,
};

} // namespace marlin::cpu
