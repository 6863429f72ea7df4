// Packing in host memory: check everything, then write column by column.
#include "pack/pack.h"

#include <atomic>
#include <cstring>

#include "layout/element.h"
#include "pack/parallel_columns.h"
#include "pack/prepare.h"
#include "pack/run_table.h"
#include "pack/tile_source.h"

namespace marlin {
namespace {

void store_as(std::byte *at, float value, Type type) {
    const uint32_t bits = stored_bits(value, type);
    std::memcpy(at, &bits, static_cast<size_t>(size_of(type)));
}

void write_params(const PackJob &job, int64_t run, const Tile &tile, std::byte *body) {
    const Geometry &g = job.geometry;
    for (int64_t i = 0; i < job.groups_in_tile(); ++i)
        for (int64_t f = 0; f < kColumnFeatures; ++f) {
            const int64_t group = job.first_group(run) + i;
            store_as(body + g.scale(group, tile.first_feature + f), tile.params[i].scale[f], g.shape.scale_type);
            if (g.shape.zero_type != Type::None)
                store_as(body + g.zero(group, tile.first_feature + f), tile.params[i].zero[f], g.shape.zero_type);
        }
}

// Kept codes of every quad moved together: [2 * quad + slot][feature].
void compress(Tile &tile) {
    for (int64_t row = 0; row < tile.rows / 2; ++row)
        for (int64_t f = 0; f < kColumnFeatures; ++f) {
            const int64_t at = row * kColumnFeatures + f;
            tile.code[at] = tile.code[(row / 2 * 4 + tile.position[at]) * kColumnFeatures + f];
        }
}

void write_run(const PackJob &job, const RunTable &table, int64_t column, int64_t run, Tile &tile, std::byte *body) {
    const Geometry &g = job.geometry;
    std::byte *const at = body + g.run_offset(column, run);
    if (g.sparse()) {
        compress(tile);
        table.write_metadata(tile.position, at + g.codes_size + g.scales_size + g.zeros_size);
    }
    table.write_codes(tile.code, at);
    if (g.groups_in_run > 0 || run == 0)
        write_params(job, run, tile, body);
}

// Everything behind the runs but per-column scales and zeros; gaps between sections are zero.
void write_sections(const PackRequest &r, const Geometry &g, const RowOrder &order, std::byte *body) {
    const int64_t runs_end = g.columns * g.runs * g.run_size;
    std::memset(body + runs_end, 0, static_cast<size_t>(g.body_size - runs_end));
    if (g.shape.has_perm)
        std::memcpy(body + g.perm_offset, order.perm().data(), order.perm().size() * sizeof(int32_t));
    if (g.shape.has_column_scales)
        std::memcpy(body + g.column_scales_offset, r.column_scales.data(), r.column_scales.size_bytes());
}

// checksum() of the body, in parallel: a sum modulo 2^64 has no order.
uint64_t body_checksum(const std::byte *body, int64_t size, ParallelFor &parallel) {
    constexpr int64_t kBlockWords = 1 << 15;
    const int64_t words = size / 8;
    std::atomic<uint64_t> total = 0;
    parallel_columns(
        parallel, div_up(words, kBlockWords), [] { return 0; },
        [&](int, int64_t block) {
            uint64_t sum = 0;
            const int64_t end = (block + 1) * kBlockWords < words ? (block + 1) * kBlockWords : words;
            for (int64_t i = block * kBlockWords; i < end; ++i) {
                uint64_t word = 0;
                std::memcpy(&word, body + 8 * i, sizeof word);
                sum += checksum_word(word, static_cast<uint64_t>(i));
            }
            total += sum;
        });
    return total;
}

} // namespace

WeightsView pack_host(const PackRequest &request, std::span<std::byte> packed, ParallelFor &parallel) {
    const PreparedPack prepared = prepare_pack(request, packed);
    const Geometry &geometry = prepared.geometry;
    const PackJob job{request, prepared.plan, geometry, prepared.order};
    const auto source = make_source(job);
    const auto make_tile = [] { return std::make_unique<Tile>(); };
    parallel_columns(parallel, geometry.columns, make_tile,
                     [&](std::unique_ptr<Tile> &tile, int64_t column) { source->check(column, *tile); });

    // Nothing below can fail on account of the data.
    std::byte *const body = packed.data() + kHeaderSize;
    const RunTable table(geometry);
    write_sections(request, geometry, prepared.order, body);
    parallel_columns(parallel, geometry.columns, make_tile, [&](std::unique_ptr<Tile> &tile, int64_t column) {
        for (int64_t run = 0; run < geometry.runs; ++run) {
            source->fill(column, run, *tile);
            write_run(job, table, column, run, *tile, body);
        }
    });
    const PackedHeader header = make_header(geometry, request.k, body_checksum(body, geometry.body_size, parallel));
    std::memcpy(packed.data(), &header, sizeof header);
    return read_header(header, static_cast<int64_t>(packed.size()), body);
}

} // namespace marlin
