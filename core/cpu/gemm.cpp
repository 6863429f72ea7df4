// Driving a kernel: waves of rows, re-packing of A, and one call for every row block and packed column.
#include "cpu/gemm.h"

#include <algorithm>

#include "cpu/partition.h"

namespace marlin::cpu {
namespace {

// Below these, handing work over costs more than it brings (about 2 microseconds of one core).
constexpr int64_t kSmallMultiply = 1 << 17; // weights times rows
constexpr int64_t kSmallRepack = 1 << 13;   // activations

class Multiply {
public:
    Multiply(const Choice &choice, const Problem &problem, const GemmOperands &operands, const WeightsView &weights,
             std::byte *workspace, WorkerPool &pool)
        : choice_(choice), problem_(problem), operands_(operands), weights_(weights), workspace_(workspace),
          pool_(pool) {}

    // Rows [row, row + rows) of A and C.
    void wave(int64_t row, int64_t rows) {
        const Partition partition(rows, choice_.rows.max_rows, weights_.geometry.columns, pool_.threads());
        const Wave wave{partition, row, workspace_ + rows * (choice_.row_size - choice_.sums_row_size)};
        repack(wave, rows);
        auto item = [&](int64_t i) {
            for (int64_t block = partition.first_block_of(i); block < partition.end_block_of(i); ++block)
                multiply(wave, block, partition.column_of(i));
        };
        share(partition.items(), problem_.n * weights_.geometry.shape.k_packed * rows < kSmallMultiply, item);
    }

private:
    struct Wave {
        const Partition &partition;
        int64_t first_row;
        std::byte *sums; // behind all re-packed rows
    };

    template <typename Body>
    void share(int64_t count, bool small, Body &body) {
        if (!small)
            return pool_.for_each(count, body);
        for (int64_t i = 0; i < count; ++i)
            body(i);
    }

    std::byte *packed_a(const Wave &wave, int64_t block) const {
        return workspace_ + wave.partition.block_begin(block) * (choice_.row_size - choice_.sums_row_size);
    }
    float *sums_of_a(const Wave &wave, int64_t block) const {
        return reinterpret_cast<float *>(wave.sums + wave.partition.block_begin(block) * choice_.sums_row_size);
    }

    void repack(const Wave &wave, int64_t rows) {
        const int64_t k = weights_.geometry.shape.k_packed;
        // Pieces of whole runs: a few thousand activations each.
        const int64_t piece_k = round_up(kSmallRepack / choice_.rows.max_rows, kMaxRun);
        const int64_t pieces = div_up(k, piece_k);
        const int64_t row_stride = problem_.lda * size_of(problem_.a_type);
        auto piece = [&](int64_t i) {
            const int64_t block = i / pieces;
            RepackArgs args;
            args.a = static_cast<const std::byte *>(operands_.a) +
                     (wave.first_row + wave.partition.block_begin(block)) * row_stride;
            args.row_stride = row_stride;
            args.a_type = problem_.a_type;
            args.rows = static_cast<int32_t>(wave.partition.block_rows(block));
            args.k = problem_.k;
            args.k_begin = i % pieces * piece_k;
            args.k_end = std::min(k, args.k_begin + piece_k);
            args.block_k = choice_.block_k;
            args.perm = weights_.perm;
            args.packed = packed_a(wave, block);
            args.sums = choice_.sums_row_size == 0 ? nullptr : sums_of_a(wave, block);
            choice_.kernel->repack(args);
        };
        share(wave.partition.blocks() * pieces, rows * k <= 2 * kSmallRepack, piece);
    }

    void multiply(const Wave &wave, int64_t block, int64_t column) {
        const Geometry &g = weights_.geometry;
        const bool apart = g.groups_in_run == 0;
        const int64_t scale_size = size_of(g.shape.scale_type);
        const int64_t zero_size = size_of(g.shape.zero_type);
        const int64_t n = column * kColumnFeatures;
        const std::byte *run = weights_.body + g.run_offset(column, 0);
        ColumnArgs args;
        args.a = packed_a(wave, block);
        args.sums = sums_of_a(wave, block);
        args.rows = static_cast<int32_t>(wave.partition.block_rows(block));
        args.a_type = problem_.a_type;
        args.codes = run;
        args.metadata = run + g.codes_size + g.scales_size + g.zeros_size;
        args.scales = weights_.body + g.scale(0, n);
        args.zeros = weights_.body + g.zero(0, n);
        args.run_size = g.run_size;
        args.scales_run_size = apart ? 0 : g.run_size;
        args.zeros_run_size = args.scales_run_size;
        args.scales_block_size = apart ? 0 : kColumnFeatures * scale_size;
        args.zeros_block_size = apart ? 0 : kColumnFeatures * zero_size;
        args.runs = g.runs;
        args.blocks_in_run = g.run_k / choice_.block_k;
        args.block_k = choice_.block_k;
        args.scale_type = g.shape.scale_type;
        args.zero_type = g.shape.zero_type;
        if (operands_.bias != nullptr)
            args.bias = static_cast<const std::byte *>(operands_.bias) + n * size_of(problem_.bias_type);
        args.bias_type = problem_.bias_type;
        args.c_row_stride = problem_.ldc * size_of(problem_.c_type);
        args.c = static_cast<std::byte *>(operands_.c) +
                 (wave.first_row + wave.partition.block_begin(block)) * args.c_row_stride +
                 n * size_of(problem_.c_type);
        args.c_type = problem_.c_type;
        args.features = static_cast<int32_t>(std::min(kColumnFeatures, problem_.n - n));
        choice_.kernel->multiply(args);
    }

    static constexpr int64_t kMaxRun = 128;

    const Choice &choice_;
    const Problem &problem_;
    const GemmOperands &operands_;
    const WeightsView &weights_;
    std::byte *workspace_;
    WorkerPool &pool_;
};

} // namespace

void run_gemm(const Choice &choice, const Problem &problem, const GemmOperands &operands, const WeightsView &weights,
              std::span<std::byte> workspace, WorkerPool &pool) {
    Multiply multiply(choice, problem, operands, weights, workspace.data(), pool);
    const int64_t wave_rows = static_cast<int64_t>(workspace.size()) / choice.row_size;
    for (int64_t row = 0; row < problem.m; row += wave_rows)
        multiply.wave(row, std::min(wave_rows, problem.m - row));
}

} // namespace marlin::cpu
