// Act-order for codes whose source keeps rows in words or in lines of a feature: sixteen features of all rows are
// brought to shared memory, and leave it in packed order.
#pragma once

#include "cuda/pack/read_codes.h"
#include "cuda/pack/write_run.h"

namespace marlin::cuda {

// Of 64 packed features, those whose codes lie side by side in the dense layout for NVIDIA GPUs.
inline constexpr int kStripFeatures = 16;
inline constexpr int kStrips = kFeatures / kStripFeatures;

// Eight bytes a row of the source; byte p holds the codes of features p and p + 8. Gaps keep threads that write
// neighbouring rows on different banks.
class StagedRows {
public:
    MARLIN_HD StagedRows(std::byte *memory, int gap_shift) : memory_(memory), gap_shift_(gap_shift) {}

    static constexpr int kGaps = 3;    // after every eighth row
    static constexpr int kNoGaps = 31; // for sources with more rows than would fit otherwise
    static constexpr int64_t size(int64_t k, int gap_shift) { return (k + (k >> gap_shift)) * 8; }

    MARLIN_HD std::byte *at(int row) const { return memory_ + (row + (row >> gap_shift_)) * 8; }
    // Byte p of row `row` + i, which is one of the same eight rows.
    MARLIN_HD void put(int row, int i, int p, uint32_t codes) const {
        at(row)[p + 8 * i] = static_cast<std::byte>(codes);
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
    return (layout == Layout::DenseDraft || layout == Layout::Sparse24Draft) && !task.in_order() && task.aligned &&
           task.n % kFeatures == 0 && task.k % 32 == 0 && (plain || words);
}

// Eight rows of features p and p + 8, a word each, the first row lowest.
MARLIN_HD inline void stage_words(const StagedRows &rows, int first_row, int p, uint32_t low, uint32_t high) {
    const uint32_t even = (low & 0x0f0f0f0fu) | (high & 0x0f0f0f0fu) << 4;
    const uint32_t odd = (low >> 4 & 0x0f0f0f0fu) | (high & 0xf0f0f0f0u);
    MARLIN_UNROLL
    for (int i = 0; i < 4; ++i) {
        rows.put(first_row, 2 * i, p, even >> (8 * i));
        rows.put(first_row, 2 * i + 1, p, odd >> (8 * i));
    }
}

// Rows r, r + 8, r + 1 and r + 9 of features p and p + 8: one word of Marlin's.
MARLIN_HD inline void stage_marlin_word(const StagedRows &rows, int first_row, int p, uint32_t word) {
    constexpr NibbleAt kFeature = marlin_weight_at(0, 8, 64);
    constexpr NibbleAt kNextRow = marlin_weight_at(1, 0, 64);
    constexpr NibbleAt kFarRow = marlin_weight_at(8, 0, 64);
    static_assert(kFeature.word == 0 && kNextRow.word == 0 && kFarRow.word == 0);
    MARLIN_UNROLL
    for (int next = 0; next < 2; ++next) {
        MARLIN_UNROLL
        for (int far = 0; far < 2; ++far) {
            const int shift = next * kNextRow.shift + far * kFarRow.shift;
            rows.put(first_row + 8 * far, next, p,
                     (word >> shift & 15u) | (word >> (shift + kFeature.shift) & 15u) << 4);
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

// All rows of features n .. n + 15. A thread has one pair of features.
template <typename Block>
MARLIN_HD void stage_strip(const Block &block, const PackTask &task, int64_t n, const StagedRows &rows) {
    constexpr int kPairs = kStripFeatures / 2;
    constexpr int kStep = Block::kThreads < kPairs ? 1 : Block::kThreads / kPairs;
    const int first = block.thread() / kPairs;
    for (int p = block.thread() % kPairs; p < kPairs; p += Block::kThreads) {
        if (task.source == Source::GptqV1 || task.source == Source::GptqV2) {
            constexpr int kBatch = 8;
            uint32_t low[kBatch];
            uint32_t high[kBatch];
            const auto *const from = reinterpret_cast<const uint32_t *>(task.src) + n + p;
            Batches<kBatch, kStep>::run(
                first, static_cast<int>(task.k / 8),
                [&](int i, int item) {
                    low[i] = from[item * task.n];
                    high[i] = from[item * task.n + 8];
                },
                [&](int i, int item) { stage_words(rows, item * 8, p, low[i], high[i]); });
        } else if (task.source == Source::Marlin) {
            constexpr int kBatch = 16;
            uint32_t words[kBatch];
            const auto *const from = reinterpret_cast<const uint32_t *>(task.src);
            const auto row_of = [](int item) { return item / 4 * 16 + item % 4 * 2; };
            Batches<kBatch, kStep>::run(
                first, static_cast<int>(task.k / 4),
                [&](int i, int item) { words[i] = from[marlin_weight_at(row_of(item), n + p, task.n).word]; },
                [&](int i, int item) { stage_marlin_word(rows, row_of(item), p, words[i]); });
        } else {
            constexpr int kBatch = 2;
            Vector low[kBatch];
            Vector high[kBatch];
            const bool plain = task.source == Source::Plain;
            const int64_t pitch = plain ? task.ld_src : task.k / 2;
            const int rows_of_vector = plain ? 16 : 32;
            const std::byte *const from = task.src + (n + p) * pitch;
            const uint32_t bias = code_bias(task.src_type);
            Batches<kBatch, kStep>::run(
                first, static_cast<int>(task.k / rows_of_vector),
                [&](int i, int item) {
                    low[i] = load_vector(from + int64_t{item} * 16);
                    high[i] = load_vector(from + 8 * pitch + int64_t{item} * 16);
                },
                [&](int i, int item) {
                    MARLIN_UNROLL
                    for (int w = 0; w < 4; ++w) {
                        if (!plain) {
                            stage_words(rows, item * 32 + 8 * w, p, low[i].word[w], high[i].word[w]);
                            continue;
                        }
                        const uint32_t codes = add_to_bytes(low[i].word[w], bias) | add_to_bytes(high[i].word[w], bias)
                                                                                        << 4;
                        MARLIN_UNROLL
                        for (int j = 0; j < 4; ++j)
                            rows.put(item * 16 + 4 * w, j, p, codes >> (8 * j));
                    }
                });
        }
    }
}

// What a row of padding has in features n .. n + 3 and n + 8 .. n + 11, as it would be staged.
MARLIN_HD inline uint32_t padding_codes(const PackTask &task, int64_t packed_row, int64_t n) {
    const int64_t group = task.order.source_group(task.geometry.group_of(packed_row));
    uint32_t codes = 0;
    MARLIN_NO_UNROLL
    for (int i = 0; i < 8; ++i) {
        const float zero = group < 0 ? task.no_zero() : task.values.zero(group, n + i % 4 + i / 4 * 8);
        codes |= uint32_t{padding_code(zero, task.grid())} << (i % 4 * 8 + i / 4 * 4);
    }
    return codes;
}

// The rows whose codes stand in one word of the dense layout, by byte: counted from the word's first.
MARLIN_HD constexpr int row_in_word(int byte) {
    return byte / 2 + byte % 2 * 8;
}
// Where the vector of a block of 64 packed rows stands: feature f of the strip, rows 2 j and on.
MARLIN_HD inline std::byte *gathered_vector(const PackTask &task, int64_t column, int64_t block64, int strip, int f,
                                            int j) {
    const Geometry &g = task.geometry;
    const int shift = g.run_k == 64 ? 0 : 1; // blocks of a run
    return task.body + g.run_offset(column, block64 >> shift) + (block64 & shift) * 2048 + strip * 512 +
           (4 * f + j) * 16;
}
static_assert(code_at(Layout::DenseDraft, 16 + 2 + row_in_word(3), 16 + 3 + 8).byte == 512 + (4 * 3 + 1) * 16 + 4 + 3);
static_assert(code_at(Layout::DenseDraft, row_in_word(2), 8).byte == 2 && row_in_word(1) == 8);

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
template <typename Block>
MARLIN_HD void gather_strip(const Block &block, const PackTask &task, int64_t column, int strip, const StagedRows &rows,
                            BodySum &sum) {
    const int64_t n = column * kFeatures + strip * kStripFeatures;
    for (int64_t item = block.thread(); item < task.geometry.shape.k_packed / 64 * 8; item += Block::kThreads) {
        const int j = static_cast<int>(item % 4);
        const int half = static_cast<int>(item / 4 % 2);
        const GatheredRows from(task, item / 8, j);
        uint32_t of_padding[2] = {}; // groups have at least 32 rows
        if (from.padding) {
            of_padding[0] = padding_codes(task, item / 8 * 64, n + 4 * half);
            of_padding[1] = padding_codes(task, item / 8 * 64 + 32, n + 4 * half);
        }
        Vector vectors[4];
        MARLIN_UNROLL
        for (int step = 0; step < 4; ++step) {
            uint32_t codes[4];
            MARLIN_UNROLL
            for (int b = 0; b < 4; ++b)
                codes[b] = reinterpret_cast<const uint32_t *>(rows.at(from.some_row(step, b)))[half];
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
            sum.store(gathered_vector(task, column, item / 8, strip, 4 * half + f, j), vectors[f]);
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
