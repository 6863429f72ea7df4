// The kernels for AVX-512 without BF16 instructions.
#include "cpu/vector_avx512.h"

#include "cpu/fma_kernel.h"

namespace marlin::cpu {
namespace {

constexpr int kMaxRows = 8;

// Vectors of 16 features a tile: 32 registers hold the accumulators, decoded codes and an activation.
constexpr int vectors_for(bool kept_sums, int rows) {
    const int accumulators = kept_sums ? 2 * rows : rows;
    return 4 * accumulators <= 20 ? 4 : 2 * accumulators <= 20 ? 2 : 1;
}

template <bool sparse, bool kept_sums>
void multiply_rows(const ColumnArgs &args) {
    switch (args.rows) {
    case 1:
        return fma_column<Avx512, sparse, kept_sums, 1, vectors_for(kept_sums, 1)>(args);
    case 2:
        return fma_column<Avx512, sparse, kept_sums, 2, vectors_for(kept_sums, 2)>(args);
    case 3:
        return fma_column<Avx512, sparse, kept_sums, 3, vectors_for(kept_sums, 3)>(args);
    case 4:
        return fma_column<Avx512, sparse, kept_sums, 4, vectors_for(kept_sums, 4)>(args);
    case 5:
        return fma_column<Avx512, sparse, kept_sums, 5, vectors_for(kept_sums, 5)>(args);
    case 6:
        return fma_column<Avx512, sparse, kept_sums, 6, vectors_for(kept_sums, 6)>(args);
    case 7:
        return fma_column<Avx512, sparse, kept_sums, 7, vectors_for(kept_sums, 7)>(args);
    default:
        return fma_column<Avx512, sparse, kept_sums, kMaxRows, vectors_for(kept_sums, kMaxRows)>(args);
    }
}

void multiply_dense(const ColumnArgs &args) {
    multiply_rows<false, false>(args);
}

void multiply_24(const ColumnArgs &args) {
    if (args.zero_type == Type::None)
        multiply_rows<true, false>(args);
    else
        multiply_rows<true, true>(args);
}

constexpr RowShape kRows = {sizeof(float), kMaxRows};

} // namespace

const Kernel kernel_avx512 = {
    "cpu_avx512", 3, Isa::Avx512, false, {kRows, kRows, kRows}, repack_dense_f32<Avx512>, multiply_dense,
};
const Kernel kernel_avx512_24 = {
    "cpu_avx512_24", 13, Isa::Avx512, true, {kRows, kRows, kRows}, repack_24_f32<Avx512>, multiply_24,
};

} // namespace marlin::cpu
