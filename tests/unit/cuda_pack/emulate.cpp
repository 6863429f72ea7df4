// A grid of CTAs as loops.
#include "unit/cuda_pack/emulate.h"

#include <memory>
#include <vector>

#include "cuda/pack/fit_params.h"
#include "cuda/pack/gather_bundles.h"
#include "cuda/pack/gather_sparse.h"
#include "cuda/pack/make_task.h"
#include "cuda/pack/pack_codes.h"
#include "cuda/pack/pack_values.h"
#include "cuda/pack/readers.h"
#include "cuda/pack/scanned_arrays.h"
#include "cuda/pack/sections.h"
#include "cuda/pack/stream_round.h"
#include "cuda/pack/unpack_tile.h"
#include "unit/pack/buffer.h"

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

void run_codes(const PackTask &task, PackStep step, BodySum &sum) {
    with_reader(task, [&](auto reader) {
        using Reader = decltype(reader);
        const auto memory = std::make_unique<PackCodesMemory<Reader::kAlongK>>();
        for_each_tile(task.geometry, [&](const TilePlace &place) {
            task.geometry.sparse() ? cuda::pack_codes<Reader, true>(OneThread(), task, step, place, *memory, sum)
                                   : cuda::pack_codes<Reader, false>(OneThread(), task, step, place, *memory, sum);
        });
    });
}

void scan(const ScannedArray &array, uint64_t &failed) {
    uint32_t largest = 0;
    for (int64_t i = 0; i < array.size; i += 16) {
        const Vector vector = load_vector(array.data + i);
        largest = array.limit.what == Scanned::Halves ? scan_vector<Scanned::Halves>(vector, array.limit.bias, largest)
                  : array.limit.what == Scanned::Floats
                      ? scan_vector<Scanned::Floats>(vector, array.limit.bias, largest)
                      : scan_vector<Scanned::Codes>(vector, array.limit.bias, largest);
    }
    if (largest >= array.limit.limit)
        lower_to(&failed, kSomeColumn);
}
void check_codes(const PackTask &task, const PackPlan &plan, BodySum &sum) {
    for (int64_t group = 0; group < plan.source_groups; ++group)
        for (int64_t n = 0; n < task.n; ++n)
            check_group_value(task, group, n);
    run_codes(task, PackStep::Check, sum);
}

template <bool along_k>
void fit(const PackTask &task, std::span<const RowSpan> spans) {
    const auto memory = std::make_unique<FitMemory<along_k>>();
    const auto stream_memory = std::make_unique<StreamMemory<along_k>>();
    const auto run = [&](const FitPlace &place) {
        if (streams(task) && task.scale_method == ScaleMethod::MinMax)
            with_stream(task, [&](auto type, auto, auto sparse) {
                stream_ranges<type.value, along_k, sparse.value>(OneThread(), task, place, *stream_memory);
            });
        else if (task.scale_method == ScaleMethod::LeastSquares)
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
void round_values(const PackTask &task, BodySum &sum) {
    if (streams(task)) {
        const auto memory = std::make_unique<RoundMemory<along_k>>();
        return with_stream(task, [&](auto type, auto, auto sparse) {
            for_each_tile(task.geometry, [&](const TilePlace &place) {
                stream_round<type.value, along_k, sparse.value>(OneThread(), task, place, *memory, sum);
            });
        });
    }
    const auto memory = std::make_unique<PackValuesMemory<along_k>>();
    for_each_tile(task.geometry,
                  [&](const TilePlace &place) { cuda::pack_values<along_k>(OneThread(), task, place, *memory, sum); });
}

void gather_params(const PackTask &task, BodySum &sum) {
    for (int64_t column = 0; column < task.geometry.columns; ++column)
        write_column_params<1>(task, column, 0, 0, 1, sum);
}

template <Staged kind, bool sparse>
void gather_codes(const PackTask &task, BodySum &sum) {
    // Both ways to stage.
    const int gap_shift = task.k % 128 == 0 ? StagedRows::gap_shift(kind) : StagedRows::kNoGaps;
    using Memory = StripMemory<sparse>;
    std::vector<Vector> storage(static_cast<size_t>(Memory::size(task, gap_shift) / 16 + 1));
    const Memory memory(reinterpret_cast<std::byte *>(storage.data()), task, gap_shift);
    for (int64_t column = 0; column < task.geometry.columns; ++column)
        for (int strip = 0; strip < kStrips; ++strip)
            pack_strip<kind, sparse>(OneThread(), task, column, strip, memory, sum);
}

void gather_codes(const PackTask &task, BodySum &sum) {
    const auto gather = [&](auto kind) {
        task.geometry.sparse() ? gather_codes<kind.value, true>(task, sum) : gather_codes<kind.value, false>(task, sum);
    };
    switch (staging_of(task)) {
    case Staged::Words:
        return gather(std::integral_constant<Staged, Staged::Words>());
    case Staged::Marlin:
        return gather(std::integral_constant<Staged, Staged::Marlin>());
    case Staged::Lines:
        return gather(std::integral_constant<Staged, Staged::Lines>());
    default:
        return gather(std::integral_constant<Staged, Staged::Bytes>());
    }
}

// visit(type, pairs, column, bundle, memory) for all bundles, of both kinds.
template <typename Visit>
void for_each_bundle(const PackTask &task, Visit visit) {
    with_value_type(task.src_type, [&](auto type) {
        const auto run = [&](auto pairs) {
            using B = Bundle<type.value, pairs.value>;
            using Memory = BundleMemory<B>;
            std::vector<Vector> storage(static_cast<size_t>(Memory::size_to_round(task) / 16 + 1));
            const Memory memory(reinterpret_cast<std::byte *>(storage.data()), task);
            for (int64_t column = 0; column < task.geometry.columns; ++column)
                for (int bundle = 0; bundle < B::kCount; ++bundle)
                    visit(type, pairs, column, bundle, memory);
        };
        if constexpr (type.value != Type::F32) {
            if (task.k % 128 == 0)
                return run(std::integral_constant<int, 2>());
        }
        run(std::integral_constant<int, 1>());
    });
}
void gather_fit(const PackTask &task) {
    for_each_bundle(task, [&](auto type, auto pairs, int64_t column, int bundle, const auto &memory) {
        task.geometry.sparse() ? fit_bundle<true, type.value, pairs.value>(OneThread(), task, column, bundle, memory)
                               : fit_bundle<false, type.value, pairs.value>(OneThread(), task, column, bundle, memory);
    });
}
void gather_values(const PackTask &task, BodySum &sum) {
    for_each_bundle(task, [&](auto type, auto pairs, int64_t column, int bundle, const auto &memory) {
        if (task.geometry.sparse())
            round_bundle<true, type.value, pairs.value>(OneThread(), task, column, bundle, memory, sum);
        else
            round_bundle<false, type.value, pairs.value>(OneThread(), task, column, bundle, memory, sum);
    });
    gather_params(task, sum);
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
    BodySum sum(task.body);
    bool gather = false;
    uint64_t failed = kNoColumn;
    task.failed_column = &failed;
    const bool values = prepared.plan.zeros == SourceZeros::Rounded;
    const bool along_k = request.src_order == Order::NxK;
    std::vector<GroupParams> params(values ? static_cast<size_t>(prepared.plan.source_groups * g.n_packed()) : 0);
    if (values) {
        const std::vector<RowSpan> spans = long_groups(request, prepared);
        gather = spans.empty() && gathers_values(task);
        task.params = gather ? params_by_group(params.data(), prepared.plan.source_groups)
                             : params_by_feature(params.data(), g.n_packed());
        if (gather && request.scale_method == ScaleMethod::MinMax)
            gather_fit(task);
        else
            along_k ? fit<true>(task, spans) : fit<false>(task, spans);
    } else {
        const std::vector<ScannedArray> arrays = scanned_arrays(request, prepared.plan);
        for (const ScannedArray &array : arrays)
            scan(array, failed);
        if (arrays.empty() || failed == kSomeColumn)
            check_codes(task, prepared.plan, sum);
    }
    if (failed != kNoColumn)
        return failed;
    if (gather)
        gather_values(task, sum);
    else if (values)
        along_k ? round_values<true>(task, sum) : round_values<false>(task, sum);
    else if (gathers_codes(task))
        gather_codes(task, sum);
    else
        run_codes(task, PackStep::Write, sum);
    for (int64_t offset = runs_end(g); offset < g.body_size; offset += 8)
        write_section_words(task, offset, sum);
    const PackedHeader header = make_header(g, request.k, uint64_t{0});
    uint64_t words[kHeaderWords];
    uint64_t checksum = 0;
    for (int i = 0; i < kHeaderWords; ++i) {
        const HeaderWord word = header_word(header, i, sum.value());
        checksum += word.checksum;
        words[i] = i == kHeaderWords - 1 ? checksum : word.word;
    }
    std::memcpy(packed.data(), words, sizeof words);
    return kNoColumn;
}

std::string way_of(const PackRequest &request) {
    PackedBuffer packed(packed_size(plan_pack(request)));
    const PreparedPack prepared = prepare_pack(request, packed.bytes());
    const PackTask task = make_task(request, prepared, nullptr);
    if (prepared.plan.zeros != SourceZeros::Rounded)
        return gathers_codes(task) ? "gathered codes" : "codes";
    if (long_groups(request, prepared).empty() && gathers_values(task))
        return "gathered values";
    return streams(task) ? "streamed values" : "values";
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
