// Ranges of values that nothing must be done with but looking: straight out of the source, in its own type.
#pragma once

#include "cuda/pack/ranges.h"
#include "cuda/pack/stream_select.h"
#include "cuda/pack/value_tile.h"

namespace marlin::cuda {

// Parts of a line of a feature (source along k), or of all rows (source of rows), that threads look at one by one. What
// they find stays in words as the source has them: values of one feature along k, else of neighbouring features.
inline constexpr int kMaxStreamParts = 32;
template <bool along_k>
struct StreamMemory {
    static constexpr int kLine = kMaxStreamParts + 1; // of a feature along k
    static constexpr int kSize = along_k ? kFeatures * kLine : 16 * kFeatures;
    alignas(16) uint32_t low[kSize];
    alignas(16) uint32_t high[kSize];

    template <Type type>
    MARLIN_HD static constexpr int place(int part, int f) {
        return along_k ? f * kLine + part : (part * kFeatures + f) / WordValues<type>::kCount;
    }
};

// Which tiles can be read whole vectors at a time, with nothing that takes no part but rows of padding.
MARLIN_HD inline bool streams(const PackTask &task) {
    const bool whole = task.k % kRows == 0 && task.in_order();
    const bool selects = task.sparsity == Sparsity::Select24 && task.importance == nullptr;
    return task.aligned && (!task.geometry.sparse() || selects) && task.n % kFeatures == 0 &&
           (task.src_order == Order::KxN || whole);
}

// The vectors of a tile, dealt out to threads: each thread has the same features in neighbouring rows. `rows`: in a
// source of rows, that a thread has at a time.
template <Type type, bool along_k, int rows>
struct StreamShape {
    static constexpr int kSize = Values<type>::kSize;
    static constexpr int kEach = Values<type>::kEach;
    static constexpr int kVectors = (along_k ? kRows : kFeatures) / kEach; // of a line
    // Source of rows: parts of the rows. Along k a part is a vector.
    static constexpr int kParts = along_k ? kVectors : kRows / rows;
    static_assert(kParts <= kMaxStreamParts && rows % 4 == 0);
    // Vectors that a thread has at a time: rows of one part, or features.
    static constexpr int kBatch = along_k ? 4 : rows;
    static constexpr int kItems = kRows * kFeatures / kEach / kBatch;
};
inline constexpr int kRowsOfRange = 8; // more loads under way, fewer parts

// The vectors of item `item` in rows from `first_row` on. Rows of padding are zeros.
template <Type type, bool along_k, int rows>
struct StreamItem {
    using Shape = StreamShape<type, along_k, rows>;
    int part;
    int feature;      // of the first element
    int next_feature; // from vector to vector
    Vector vectors[Shape::kBatch];
    uint32_t padding = 0; // a bit for each vector

    MARLIN_HD explicit constexpr StreamItem(int item)
        : part(along_k ? item % Shape::kVectors : item / Shape::kVectors),
          feature(along_k ? item / Shape::kVectors : item % Shape::kVectors * Shape::kEach),
          next_feature(along_k ? kFeatures / Shape::kBatch : 0) {}

    MARLIN_HD int row(int i) const { return along_k ? part * Shape::kEach : part * rows + i; }
    MARLIN_HD bool is_padding(int i) const { return (padding >> i & 1u) != 0; }

    // `row_count`: of the tile, a multiple of 32.
    MARLIN_HD void load(const PackTask &task, int64_t column, int64_t first_row, int row_count) {
        const int64_t pitch = task.ld_src * Shape::kSize;
        const int64_t n = column * kFeatures + feature;
        if constexpr (along_k) {
            const std::byte *const from = task.src + n * pitch + (first_row + row(0)) * Shape::kSize;
            MARLIN_UNROLL
            for (int i = 0; i < Shape::kBatch; ++i)
                vectors[i] = load_vector(from + i * next_feature * pitch);
        } else {
            const std::byte *const from = task.src + n * Shape::kSize;
            padding = 0;
            if (task.in_order() && row_count == kRows && first_row + kRows <= task.k) {
                const std::byte *line = from + (first_row + row(0)) * pitch;
                MARLIN_UNROLL
                for (int i = 0; i < Shape::kBatch; ++i) {
                    vectors[i] = load_vector(line);
                    line += pitch;
                }
            } else {
                load_rows(task, from, pitch, first_row, row_count);
            }
        }
    }

private:
    MARLIN_HD void load_rows(const PackTask &task, const std::byte *from, int64_t pitch, int64_t first_row,
                             int row_count) {
        int32_t k[Shape::kBatch];
        if (row(0) < row_count && !task.in_order()) {
            const auto *const fours = reinterpret_cast<const FourRows *>(task.order.perm + first_row + row(0));
            MARLIN_UNROLL
            for (int i = 0; i < Shape::kBatch; i += 4) {
                const FourRows four = fours[i / 4];
                MARLIN_UNROLL
                for (int j = 0; j < 4; ++j)
                    k[i + j] = four.row[j];
            }
        } else {
            MARLIN_UNROLL
            for (int i = 0; i < Shape::kBatch; ++i)
                k[i] = row(0) < row_count ? task.order.source_row(first_row + row(i)) : -1;
        }
        MARLIN_UNROLL
        for (int i = 0; i < Shape::kBatch; ++i) {
            vectors[i] = load_vector(from + (k[i] < 0 ? 0 : k[i]) * pitch);
            padding |= (static_cast<uint32_t>(k[i]) >> 31) << i;
        }
        if (padding != 0) {
            MARLIN_UNROLL
            for (int i = 0; i < Shape::kBatch; ++i)
                if (is_padding(i))
                    vectors[i] = {};
        }
    }
};

// What one thread finds: of a source of rows by word of its features, of a feature by vector of the batch.
template <Type type, bool along_k, bool sparse>
struct PartRange {
    using W = WordValues<type>;
    using Item = StreamItem<type, along_k, kRowsOfRange>;
    static constexpr int kKept = 4;
    static_assert(!along_k || Item::Shape::kBatch == kKept);

    WordRange<type> kept[kKept];
    WordNumbers<type> numbers; // of what is not kept too

    MARLIN_HD void add(const Item &item) {
        if (item.padding == 0)
            add<false>(item);
        else
            add<true>(item);
    }

private:
    // Those of a quad that stay; padding, a bit for each row, never takes part.
    MARLIN_HD void add_kept(int to, const uint32_t (&row)[4], uint32_t padding) {
        uint32_t keep[4];
        keep_words<type>(row, keep);
        MARLIN_UNROLL
        for (int p = 0; p < 4; ++p) {
            numbers.add(row[p]);
            kept[to].add(row[p], (padding >> p & 1u) != 0 ? 0u : keep[p]);
        }
    }
    template <bool padded>
    MARLIN_HD void add(const Item &item) {
        if constexpr (sparse && along_k) {
            MARLIN_UNROLL
            for (int b = 0; b < Item::Shape::kBatch; ++b) {
                uint32_t row[4];
                quads_of_vector<type>(item.vectors[b], row);
                add_kept(b, row, 0);
            }
        } else if constexpr (sparse) {
            MARLIN_UNROLL
            for (int b = 0; b < Item::Shape::kBatch; b += 4) {
                MARLIN_UNROLL
                for (int w = 0; w < 4; ++w)
                    add_kept(w,
                             {item.vectors[b].word[w], item.vectors[b + 1].word[w], item.vectors[b + 2].word[w],
                              item.vectors[b + 3].word[w]},
                             padded ? item.padding >> b : 0);
            }
        } else {
            MARLIN_UNROLL
            for (int b = 0; b < Item::Shape::kBatch; ++b) {
                MARLIN_UNROLL
                for (int w = 0; w < 4; ++w)
                    if (!padded || !item.is_padding(b))
                        kept[along_k ? b : w].add(item.vectors[b].word[w]);
            }
        }
    }
};

template <Type type, bool along_k, bool sparse, typename Block>
MARLIN_HD bool stream_parts(const Block &block, const PackTask &task, const FitPlace &fit,
                            StreamMemory<along_k> &memory) {
    bool good = true;
    for (int i = block.thread(); i < StreamShape<type, along_k, kRowsOfRange>::kItems; i += Block::kThreads) {
        StreamItem<type, along_k, kRowsOfRange> item(i);
        PartRange<type, along_k, sparse> range;
        for (int64_t first = fit.rows.begin; first < fit.rows.end; first += kRows) {
            const int64_t left = fit.rows.end - first;
            item.load(task, fit.column, first, left < kRows ? static_cast<int>(left) : kRows);
            range.add(item);
        }
        good &= range.numbers.good();
        const int at = memory.template place<type>(item.part, item.feature);
        if constexpr (along_k) {
            MARLIN_UNROLL
            for (int w = 0; w < range.kKept; ++w) {
                memory.low[at + w * item.next_feature * memory.kLine] = range.kept[w].low;
                memory.high[at + w * item.next_feature * memory.kLine] = range.kept[w].high;
            }
        } else {
            store_vector(reinterpret_cast<std::byte *>(memory.low + at),
                         {range.kept[0].low, range.kept[1].low, range.kept[2].low, range.kept[3].low});
            store_vector(reinterpret_cast<std::byte *>(memory.high + at),
                         {range.kept[0].high, range.kept[1].high, range.kept[2].high, range.kept[3].high});
        }
    }
    return good;
}

// Like fit_params() without a search, of a task that streams.
template <Type type, bool along_k, bool sparse, typename Block>
MARLIN_HD void stream_ranges(const Block &block, const PackTask &task, const FitPlace &fit,
                             StreamMemory<along_k> &memory) {
    using W = WordValues<type>;
    bool numbers = stream_parts<type, along_k, sparse>(block, task, fit, memory);
    block.sync();
    const TileGroups groups = fit.groups(task);
    const int parts = StreamShape<type, along_k, kRowsOfRange>::kParts * (1 << groups.row_shift) / kRows;
    const bool good = min_max_params<true>(block, task, fit, groups, [&](int g, int f) {
        WordRange<type> words;
        for (int part = g * parts; part < (g + 1) * parts; ++part) {
            const int at = memory.template place<type>(part, f);
            words.join(memory.low[at], memory.high[at]);
        }
        if constexpr (along_k && W::kCount == 2)
            words.join(words.low >> 16 | words.low << 16, words.high >> 16 | words.high << 16);
        const int half = along_k ? 0 : f % W::kCount;
        const Range range = {W::of(words.low, half), W::of(words.high, half)};
        numbers &= is_finite(range.low) && is_finite(range.high);
        return range;
    });
    if (!good || !numbers)
        lower_to(task.failed_column, static_cast<uint64_t>(fit.column));
}

} // namespace marlin::cuda
