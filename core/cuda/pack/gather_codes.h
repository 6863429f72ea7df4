// Act-order for codes whose source keeps rows in words or in lines of a feature: sixteen features of all rows are
// brought to shared memory, and leave it in packed order.
#pragma once

#include "cuda/pack/read_codes.h"
#include "cuda/pack/write_run.h"

namespace marlin::cuda {

// Of 64 packed features, those that a CTA has: eight pairs of f and f + 8, whose codes share bytes of the layouts for
// NVIDIA GPUs.
inline constexpr int kStripFeatures = 16;
inline constexpr int kStrips = kFeatures / kStripFeatures;

// How sources are staged: words of eight rows side by side, Marlin's vectors, and lines of a feature, in words or one
// code a byte.
enum class Staged { Words, Marlin, Lines, Bytes };

MARLIN_HD inline Staged staging_of(const PackTask &task) {
    return task.source == Source::Marlin              ? Staged::Marlin
           : task.source == Source::CompressedTensors ? Staged::Lines
           : task.source == Source::Plain             ? Staged::Bytes
                                                      : Staged::Words;
}

// The pairs of a strip in two halves of four: neighbours, or those that stand in the same vectors of Marlin's.
template <Staged kind>
struct StripPairs {
    static constexpr int kStep = kind == Staged::Marlin ? 16 : 1;
    // The first feature of pair `pair` of a half, among the 64.
    MARLIN_HD static constexpr int feature(int strip, int half, int pair) {
        return kind == Staged::Marlin ? 2 * strip + half + 16 * pair : strip * kStripFeatures + 4 * half + pair;
    }
};

// Eight bytes a row of the source: a word for each half, a byte for each pair. Gaps keep threads that write rows of
// neighbouring vectors on different banks.
class StagedRows {
public:
    MARLIN_HD StagedRows(std::byte *memory, int gap_shift) : memory_(memory), gap_shift_(gap_shift) {}

    static constexpr int kNoGaps = 31; // for sources with more rows than would fit otherwise
    static constexpr int gap_shift(Staged kind) {
        return kind == Staged::Words ? 3 : kind == Staged::Lines ? 5 : 4; // rows of a vector
    }
    static constexpr int64_t size(int64_t k, int gap_shift) { return (k + (k >> gap_shift)) * 8; }

    MARLIN_HD uint32_t *at(int row) const {
        return reinterpret_cast<uint32_t *>(memory_ + (row + (row >> gap_shift_)) * 8);
    }

private:
    std::byte *memory_;
    int gap_shift_;
};

// Which tasks have sources that are staged. KxN sources have their rows side by side, and need it not.
MARLIN_HD inline bool gathers_codes(const PackTask &task) {
    const bool plain = task.source == Source::Plain && is_code4(task.src_type) && task.src_order == Order::NxK;
    const bool words = task.source == Source::CompressedTensors || task.source == Source::GptqV1 ||
                       task.source == Source::GptqV2 || task.source == Source::Marlin;
    const Layout layout = task.geometry.shape.layout;
    return (layout == Layout::Dense || layout == Layout::Sparse24Draft) && !task.in_order() && task.aligned &&
           task.n % kFeatures == 0 && task.k % 32 == 0 && (plain || words);
}

// Eight rows of four pairs of features, a word each of the first ones and the second ones, the first row lowest.
MARLIN_HD inline void stage_words(const StagedRows &rows, int first_row, int half, const uint32_t (&low)[4],
                                  const uint32_t (&high)[4]) {
    uint32_t *const to = rows.at(first_row) + half;
    uint32_t even[4];
    uint32_t odd[4];
    MARLIN_UNROLL
    for (int p = 0; p < 4; ++p) {
        even[p] = (low[p] & 0x0f0f0f0fu) | (high[p] & 0x0f0f0f0fu) << 4;
        odd[p] = (low[p] >> 4 & 0x0f0f0f0fu) | (high[p] & 0xf0f0f0f0u);
    }
    uint32_t row[4];
    transpose_bytes(even, row);
    MARLIN_UNROLL
    for (int i = 0; i < 4; ++i)
        to[4 * i] = row[i];
    transpose_bytes(odd, row);
    MARLIN_UNROLL
    for (int i = 0; i < 4; ++i)
        to[4 * i + 2] = row[i];
}

// Rows r, r + 8, r + 1 and r + 9 of four pairs of features: a vector of Marlin's.
MARLIN_HD inline void stage_marlin_vector(const StagedRows &rows, int first_row, int half, const Vector &vector) {
    static_assert(marlin_weight_at(0, 16, 64).word == 1 && marlin_weight_at(0, 1, 64).word == 16 &&
                  marlin_weight_at(2, 0, 64).word == 4);
    static_assert(marlin_weight_at(8, 0, 64).shift == 4 && marlin_weight_at(0, 8, 64).shift == 8 &&
                  marlin_weight_at(1, 0, 64).shift == 16);
    uint32_t bytes[4];
    transpose_bytes(vector.word, bytes);
    MARLIN_UNROLL
    for (int next = 0; next < 2; ++next) {
        const uint32_t low = bytes[2 * next];
        const uint32_t high = bytes[2 * next + 1];
        rows.at(first_row + next)[half] = (low & 0x0f0f0f0fu) | (high & 0x0f0f0f0fu) << 4;
        rows.at(first_row + 8 + next)[half] = (low >> 4 & 0x0f0f0f0fu) | (high & 0xf0f0f0f0u);
    }
}

// Vectors of rows `row` and on of four features and of those 8 further, codes in nibbles or one a byte.
template <Staged kind>
MARLIN_HD void stage_lines(const StagedRows &rows, int row, int half, const Vector (&low)[4], const Vector (&high)[4],
                           uint32_t bias) {
    MARLIN_UNROLL
    for (int w = 0; w < 4; ++w) {
        if constexpr (kind == Staged::Lines) {
            stage_words(rows, row + 8 * w, half, {low[0].word[w], low[1].word[w], low[2].word[w], low[3].word[w]},
                        {high[0].word[w], high[1].word[w], high[2].word[w], high[3].word[w]});
        } else {
            uint32_t codes[4];
            MARLIN_UNROLL
            for (int p = 0; p < 4; ++p)
                codes[p] = add_to_bytes(low[p].word[w], bias) | add_to_bytes(high[p].word[w], bias) << 4;
            uint32_t words[4];
            transpose_bytes(codes, words);
            uint32_t *const to = rows.at(row + 4 * w) + half;
            MARLIN_UNROLL
            for (int i = 0; i < 4; ++i)
                to[2 * i] = words[i];
        }
    }
}

// Every step-th item, `batch` at a time: load(slot, index) of the batch first, then store(slot, index).
template <int batch, int step>
struct Batches {
    template <typename Load, typename Store>
    MARLIN_HD static void run(int first, int items, Load load, Store store) {
        for (; first < items; first += batch * step) {
            MARLIN_UNROLL
            for (int i = 0; i < batch; ++i)
                if (first + i * step < items)
                    load(i, first + i * step);
            MARLIN_UNROLL
            for (int i = 0; i < batch; ++i)
                if (first + i * step < items)
                    store(i, first + i * step);
        }
    }
};

// All rows of a strip. A thread has one half of it, and whole vectors of the source.
template <Staged kind, typename Block>
MARLIN_HD void stage_strip(const Block &block, const PackTask &task, int64_t column, int strip,
                           const StagedRows &rows) {
    const int64_t first = column * kFeatures;
    if constexpr (kind == Staged::Words) {
        constexpr int kBatch = 4;
        Vector low[kBatch];
        Vector high[kBatch];
        const auto *const from = task.src + (first + StripPairs<kind>::feature(strip, 0, 0)) * 4;
        Batches<kBatch, Block::kThreads>::run(
            block.thread(), static_cast<int>(task.k / 8) * 2,
            [&](int i, int item) {
                const std::byte *const at = from + (item / 2 * task.n + item % 2 * 4) * 4;
                low[i] = load_vector(at);
                high[i] = load_vector(at + 32);
            },
            [&](int i, int item) { stage_words(rows, item / 2 * 8, item % 2, low[i].word, high[i].word); });
    } else if constexpr (kind == Staged::Marlin) {
        constexpr int kBatch = 4;
        Vector vectors[kBatch];
        // Of 16 rows: those 2 * (item % 4) and on, of either half.
        Batches<kBatch, Block::kThreads>::run(
            block.thread(), static_cast<int>(task.k / 16) * 8,
            [&](int i, int item) {
                const int64_t n = first + StripPairs<kind>::feature(strip, item / 4 % 2, 0);
                vectors[i] = load_vector(task.src + marlin_weight_at(item / 8 * 16 + item % 4 * 2, n, task.n).word * 4);
            },
            [&](int i, int item) {
                stage_marlin_vector(rows, item / 8 * 16 + item % 4 * 2, item / 4 % 2, vectors[i]);
            });
    } else {
        constexpr bool kBytes = kind == Staged::Bytes;
        constexpr int kRowsOfVector = kBytes ? 16 : 32;
        const int64_t pitch = kBytes ? task.ld_src : task.k / 2;
        const uint32_t bias = code_bias(task.src_type);
        // Neighbouring threads take neighbouring vectors, four of a half.
        const auto vectors_of_line = static_cast<int>(task.k / kRowsOfVector);
        MARLIN_NO_UNROLL
        for (int item = block.thread(); item < vectors_of_line * 2; item += Block::kThreads) {
            const int half = item % 2;
            const std::byte *const from =
                task.src + (first + StripPairs<kind>::feature(strip, half, 0)) * pitch + int64_t{item / 2} * 16;
            Vector low[4];
            Vector high[4];
            MARLIN_UNROLL
            for (int p = 0; p < 4; ++p) {
                low[p] = load_vector(from + p * pitch);
                high[p] = load_vector(from + (p + 8) * pitch);
            }
            stage_lines<kind>(rows, item / 2 * kRowsOfVector, half, low, high, bias);
        }
    }
}

// What a row of padding has in four pairs of features from feature n on, as it would be staged.
template <Staged kind>
MARLIN_HD uint32_t padding_codes(const PackTask &task, int64_t packed_row, int64_t n) {
    const int64_t group = task.order.source_group(task.geometry.group_of(packed_row));
    uint32_t codes = 0;
    MARLIN_NO_UNROLL
    for (int i = 0; i < 8; ++i) {
        const float zero =
            group < 0 ? task.no_zero() : task.values.zero(group, n + i % 4 * StripPairs<kind>::kStep + i / 4 * 8);
        codes |= uint32_t{padding_code(zero, task.grid())} << (i % 4 * 8 + i / 4 * 4);
    }
    return codes;
}

// The rows whose codes stand in one word of the dense layout, by byte: counted from the word's first.
MARLIN_HD constexpr int row_in_word(int byte) {
    return byte / 2 + byte % 2 * 8;
}
// Where the first vector of features f and f + 8 of the 64 stands among those of 64 rows.
MARLIN_HD constexpr int vector_of_pair(int f) {
    return f / 16 * 512 + f % 16 * 64;
}
// Where the vector of a block of 64 packed rows stands: feature f of the 64 and f + 8, rows 2 j and on.
MARLIN_HD inline std::byte *gathered_vector(const PackTask &task, int64_t column, int64_t block64, int f, int j) {
    const Geometry &g = task.geometry;
    const int shift = g.run_k == 64 ? 0 : 1; // blocks of a run
    return task.body + g.run_offset(column, block64 >> shift) + (block64 & shift) * 2048 + vector_of_pair(f) + j * 16;
}
static_assert(code_at(Layout::Dense, 16 + 2 + row_in_word(3), 16 + 3 + 8).byte == 512 + (4 * 3 + 1) * 16 + 4 + 3);
static_assert(code_at(Layout::Dense, row_in_word(2), 8).byte == 2 && row_in_word(1) == 8);

// The packed rows whose codes stand in the same place of one strip: rows 2 j and on, sixteen of a block of 64.
struct GatheredRows {
    int32_t row[4][4]; // by word and byte
    bool padding;      // some are

    MARLIN_HD GatheredRows(const PackTask &task, int64_t block64, int j) {
        const int32_t *const perm = task.order.perm + block64 * 64 + 2 * j;
        int32_t any = 0;
        MARLIN_UNROLL
        for (int step = 0; step < 4; ++step) {
            MARLIN_UNROLL
            for (int half = 0; half < 2; ++half) {
                const Pair two = *reinterpret_cast<const Pair *>(perm + 16 * step + 8 * half);
                row[step][half] = two.first;
                row[step][2 + half] = two.second;
                any |= two.first | two.second;
            }
        }
        padding = any < 0;
    }
    // A row of the source in any case.
    MARLIN_HD int some_row(int step, int b) const { return row[step][b] < 0 ? 0 : row[step][b]; }

private:
    struct alignas(8) Pair {
        int32_t first;
        int32_t second;
    };
    static_assert(row_in_word(1) == 8 && row_in_word(2) == 1 && row_in_word(3) == 9);
};

// The codes of one strip of a column, all packed rows. Rows are staged, and everybody has seen it. A thread takes the
// same place of four features: half of what is staged of its rows.
template <Staged kind, typename Block>
MARLIN_HD void gather_strip(const Block &block, const PackTask &task, int64_t column, int strip, const StagedRows &rows,
                            BodySum &sum) {
    using Pairs = StripPairs<kind>;
    for (int64_t item = block.thread(); item < task.geometry.shape.k_packed / 64 * 8; item += Block::kThreads) {
        const int j = static_cast<int>(item % 4);
        const int half = static_cast<int>(item / 4 % 2);
        const GatheredRows from(task, item / 8, j);
        uint32_t of_padding[2] = {}; // groups have at least 32 rows
        if (from.padding) {
            const int64_t n = column * kFeatures + Pairs::feature(strip, half, 0);
            of_padding[0] = padding_codes<kind>(task, item / 8 * 64, n);
            of_padding[1] = padding_codes<kind>(task, item / 8 * 64 + 32, n);
        }
        Vector vectors[4];
        MARLIN_UNROLL
        for (int step = 0; step < 4; ++step) {
            uint32_t codes[4];
            MARLIN_UNROLL
            for (int b = 0; b < 4; ++b)
                codes[b] = rows.at(from.some_row(step, b))[half];
            if (from.padding) {
                MARLIN_UNROLL
                for (int b = 0; b < 4; ++b)
                    codes[b] = from.row[step][b] < 0 ? of_padding[step / 2] : codes[b];
            }
            uint32_t words[4];
            transpose_bytes(codes, words);
            MARLIN_UNROLL
            for (int f = 0; f < 4; ++f)
                vectors[f].word[step] = words[f];
        }
        MARLIN_UNROLL
        for (int f = 0; f < 4; ++f)
            sum.store(gathered_vector(task, column, item / 8, Pairs::feature(strip, half, f), j), vectors[f]);
    }
}

// Eight bytes of the scales or zeros of one packed group and column, of a source of codes or of values that were
// fitted; those of features 8 / (size of the type) * `word` and on.
enum class GroupNumber { Scale, Zero };
template <int each, GroupNumber number>
MARLIN_HD uint64_t group_word(const PackTask &task, int64_t column, int64_t group, int word, Type type) {
    const int64_t source_group = task.order.source_group(group);
    return word_of_numbers<each>(word * each, type, [&](int f) {
        const int64_t n = column * kFeatures + f;
        if (source_group < 0 || n >= task.n)
            return number == GroupNumber::Scale ? 0.0f : task.no_zero();
        if (task.params.first != nullptr) {
            const GroupParams &params = task.params.at(source_group, n);
            return number == GroupNumber::Scale ? params.scale : params.zero;
        }
        return number == GroupNumber::Scale ? task.values.scale(source_group, n) : task.values.zero(source_group, n);
    });
}
template <int parts, int each, GroupNumber number>
MARLIN_HD void write_group_words(const PackTask &task, int64_t column, int part, int64_t first, int64_t step, Type type,
                                 BodySum &sum) {
    constexpr int kWords = kFeatures / each / parts;
    const Geometry &g = task.geometry;
    const int64_t groups = g.groups();
    for (int64_t i = first; i < groups * kWords; i += step) {
        const int64_t group = i / kWords;
        const int word = part * kWords + static_cast<int>(i % kWords);
        const int64_t n = column * kFeatures + word * each;
        sum.store(task.body + (number == GroupNumber::Scale ? g.scale(group, n) : g.zero(group, n)),
                  group_word<each, number>(task, column, group, word, type));
    }
}
template <int parts, GroupNumber number>
MARLIN_HD void write_group_numbers(const PackTask &task, int64_t column, int part, int64_t first, int64_t step,
                                   Type type, BodySum &sum) {
    switch (size_of(type)) {
    case 1:
        return write_group_words<parts, 8, number>(task, column, part, first, step, type, sum);
    case 2:
        return write_group_words<parts, 4, number>(task, column, part, first, step, type, sum);
    case 4:
        return write_group_words<parts, 2, number>(task, column, part, first, step, type, sum);
    default: // none are stored
        return;
    }
}
// Words first, first + step and so on of all scales, and of all zeros, of a column, or of one of its `parts`.
template <int parts>
MARLIN_HD void write_column_params(const PackTask &task, int64_t column, int part, int64_t first, int64_t step,
                                   BodySum &sum) {
    const PackedShape &shape = task.geometry.shape;
    write_group_numbers<parts, GroupNumber::Scale>(task, column, part, first, step, shape.scale_type, sum);
    write_group_numbers<parts, GroupNumber::Zero>(task, column, part, first, step, shape.zero_type, sum);
}

} // namespace marlin::cuda
