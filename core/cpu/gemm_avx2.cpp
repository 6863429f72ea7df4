// The kernels for AVX2 with FMA and F16C.
#include "cpu/vector_avx2.h"

#include "cpu/fma_kernel.h"

namespace marlin::cpu {
namespace {

constexpr int kMaxRows = 6;

// Vectors of 8 features a tile: 16 registers hold the accumulators, decoded codes and an activation. Few rows take more
// vectors, so that as many chains of multiply-adds hide their latency.
constexpr int vectors_for(bool sparse, bool kept_sums, int rows) {
    const int accumulators = kept_sums ? 2 * rows : rows;
    const int most = sparse ? 8 : 12;
    return accumulators == 1 && !sparse ? 8 : 4 * accumulators <= most ? 4 : 2 * accumulators <= most + 2 ? 2 : 1;
}

template <bool sparse, bool kept_sums>
void multiply_rows(const ColumnArgs &args) {
    switch (args.rows) {
    case 1:
        return fma_column<Avx2, sparse, kept_sums, 1, vectors_for(sparse, kept_sums, 1)>(args);
    case 2:
        return fma_column<Avx2, sparse, kept_sums, 2, vectors_for(sparse, kept_sums, 2)>(args);
    case 3:
        return fma_column<Avx2, sparse, kept_sums, 3, vectors_for(sparse, kept_sums, 3)>(args);
    case 4:
        return fma_column<Avx2, sparse, kept_sums, 4, vectors_for(sparse, kept_sums, 4)>(args);
    case 5:
        return fma_column<Avx2, sparse, kept_sums, 5, vectors_for(sparse, kept_sums, 5)>(args);
    default:
        return fma_column<Avx2, sparse, kept_sums, kMaxRows, vectors_for(sparse, kept_sums, kMaxRows)>(args);
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

const Kernel kernel_avx2 = {
    "cpu_avx2", 2, Isa::Avx2, false, {kRows, kRows, kRows}, repack_dense_f32<Avx2>, multiply_dense,
};
const Kernel kernel_avx2_24 = {
    "cpu_avx2_24", 12, Isa::Avx2, true, {kRows, kRows, kRows}, repack_24_f32<Avx2>, multiply_24,
};

} // namespace marlin::cpu
