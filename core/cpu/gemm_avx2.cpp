// The kernels for AVX2 with FMA and F16C.
#include "cpu/vector_avx2.h"

#include "cpu/fma_kernel.h"

namespace marlin::cpu {
namespace {

// Vectors of 8 features a tile: with 16 registers, rows x vectors accumulators, the decoded codes and one activation.
// Few rows take more vectors: eight chains of multiply-adds hide their latency.
template <bool sparse>
void multiply(const ColumnArgs &args) {
    switch (args.rows) {
    case 1:
        return fma_column < Avx2, sparse, 1, sparse ? 4 : 8 > (args);
    case 2:
        return fma_column<Avx2, sparse, 2, 4>(args);
    case 3:
        return fma_column<Avx2, sparse, 3, 2>(args);
    case 4:
        return fma_column<Avx2, sparse, 4, 2>(args);
    case 5:
        return fma_column<Avx2, sparse, 5, 2>(args);
    default:
        return fma_column < Avx2, sparse, 6, sparse ? 1 : 2 > (args);
    }
}

} // namespace

const Kernel kernel_avx2 = {
    "cpu_avx2", 2, Isa::Avx2, false, {{4, 6}, {4, 6}, {4, 6}}, repack_dense_f32<Avx2>, multiply<false>,
};
const Kernel kernel_avx2_24 = {
    "cpu_avx2_24", 12, Isa::Avx2, true, {{4, 6}, {4, 6}, {4, 6}}, repack_24_f32<Avx2>, multiply<true>,
};

} // namespace marlin::cpu
