// A grid of CTAs as loops.
#include "unit/cuda_pack/emulate.h"

#include <memory>
#include <vector>

#include "cuda/pack/fit_params.h"
#include "cuda/pack/make_task.h"
#include "cuda/pack/pack_codes.h"
#include "cuda/pack/pack_values.h"
#include "cuda/pack/readers.h"
#include "cuda/pack/sections.h"
#include "cuda/pack/unpack_tile.h"

namespace marlin::test {

using namespace marlin::cuda;

namespace {

using OneThread = Block<1>;

template <typename Visit>
void for_each_tile(const Geometry &g, Visit visit) {
    for (int64_t column = 0; column < g.columns; ++column)
        for (int64_t tile = 0; tile < tiles_of_column(g); ++tile)
            visit(place_of(g, column, tile * kRows));
}

void run_codes(const PackTask &task, PackStep step) {
    with_reader(task, [&](auto reader) {
        using Reader = decltype(reader);
        const auto memory = std::make_unique<PackCodesMemory<Reader::kAlongK>>();
        for_each_tile(task.geometry, [&](const TilePlace &place) {
            cuda::pack_codes<Reader>(OneThread(), task, step, place, *memory);
        });
    });
}

template <bool along_k>
void fit(const PackTask &task, std::span<const RowSpan> spans) {
    const auto memory = std::make_unique<FitMemory<along_k>>();
    const auto run = [&](const FitPlace &place) {
        if (task.scale_method == ScaleMethod::LeastSquares)
            fit_params<along_k, true>(OneThread(), task, place, *memory);
        else
            fit_params<along_k, false>(OneThread(), task, place, *memory);
    };
    if (spans.empty())
        return for_each_tile(task.geometry, [&](const TilePlace &place) {
            run({place.column, {place.first_row, place.first_row + place.rows}, -1});
        });
    for (int64_t column = 0; column < task.geometry.columns; ++column)
        for (size_t group = 0; group < spans.size(); ++group)
            if (spans[group].end > spans[group].begin)
                run({column, spans[group], static_cast<int64_t>(group)});
}

template <bool along_k>
void round_values(const PackTask &task) {
    const auto memory = std::make_unique<PackValuesMemory<along_k>>();
    for_each_tile(task.geometry,
                  [&](const TilePlace &place) { cuda::pack_values<along_k>(OneThread(), task, place, *memory); });
}

template <bool along_k>
void unpack_tiles(const UnpackTask &task) {
    const auto memory = std::make_unique<UnpackMemory<along_k>>();
    for_each_tile(task.weights.geometry,
                  [&](const TilePlace &place) { unpack_tile<along_k>(OneThread(), task, place, *memory); });
}

} // namespace

uint64_t pack_emulated(const PackRequest &request, std::span<std::byte> packed) {
    const PreparedPack prepared = prepare_pack(request, packed);
    const Geometry &g = prepared.geometry;
    PackTask task = make_task(request, prepared, packed.data() + kHeaderSize);
    uint64_t failed = kNoColumn;
    task.failed_column = &failed;
    const bool values = prepared.plan.zeros == SourceZeros::Rounded;
    const bool along_k = request.src_order == Order::NxK;
    std::vector<GroupParams> params(values ? static_cast<size_t>(prepared.plan.source_groups * g.n_packed()) : 0);
    task.params = params.data();
    if (values) {
        const std::vector<RowSpan> spans = long_groups(request, prepared);
        along_k ? fit<true>(task, spans) : fit<false>(task, spans);
    } else {
        for (int64_t group = 0; group < prepared.plan.source_groups; ++group)
            for (int64_t n = 0; n < request.n; ++n)
                check_group_value(task, group, n);
        run_codes(task, PackStep::Check);
    }
    if (failed != kNoColumn)
        return failed;
    if (values)
        along_k ? round_values<true>(task) : round_values<false>(task);
    else
        run_codes(task, PackStep::Write);
    for (int64_t offset = runs_end(g); offset < g.body_size; offset += 4)
        write_section_word(task, offset);
    const uint64_t body_checksum =
        checksum_part(task.body, g.body_size, 0, 2) + checksum_part(task.body, g.body_size, 1, 2);
    const PackedHeader header = make_header(g, request.k, uint64_t{0});
    uint64_t words[kHeaderWords];
    uint64_t checksum = 0;
    for (int i = 0; i < kHeaderWords; ++i) {
        const HeaderWord word = header_word(header, i, body_checksum);
        checksum += word.checksum;
        words[i] = i == kHeaderWords - 1 ? checksum : word.word;
    }
    std::memcpy(packed.data(), words, sizeof words);
    return kNoColumn;
}

void unpack_emulated(const WeightsView &weights, const UnpackRequest &request) {
    UnpackTask task;
    task.weights = weights;
    task.dst = check_unpack(weights, request);
    task.aligned = is_aligned(task.dst);
    if (needs_pruned_codes(weights, request))
        for (int64_t group = 0; group < weights.geometry.groups(); ++group)
            for (int64_t n = 0; n < weights.n; ++n)
                if (const float zero = read_zero(weights, group, n).zero; !has_pruned_code(zero))
                    refuse_pruned_code(group, n, zero);
    request.dst_order == Order::NxK ? unpack_tiles<true>(task) : unpack_tiles<false>(task);
}

} // namespace marlin::test
