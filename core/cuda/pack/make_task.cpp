// Translating a pack request for kernels.
#include "cuda/pack/make_task.h"

#include <algorithm>

#include "formats/words.h"

namespace marlin::cuda {
namespace {

// Bytes from one row of the source to the next, whatever a row is there.
int64_t pitch(const PackRequest &r, int64_t ld_src) {
    switch (r.source) {
    case Source::Plain:
        return ld_src * size_of(r.src_type);
    case Source::Awq:
        return div_up(r.n, kNibblesPerWord) * 4;
    case Source::CompressedTensors:
        return div_up(r.k, kNibblesPerWord) * 4;
    default:
        return r.n * 4;
    }
}

} // namespace

std::vector<RowSpan> long_groups(const PackRequest &request, const PreparedPack &prepared) {
    const RowOrderView order = prepared.order.view();
    if (request.group_size == kGroupPerColumn)
        return {{0, order.k_packed}};
    std::vector<RowSpan> spans(static_cast<size_t>(prepared.plan.source_groups), RowSpan{0, 0});
    bool any_long = false;
    for (int64_t group = 0; group < order.k_packed / order.group_size; ++group) {
        const int64_t source = order.source_group(group);
        if (source < 0)
            continue;
        RowSpan &span = spans[static_cast<size_t>(source)];
        any_long = any_long || span.end > span.begin;
        span = {span.end > span.begin ? span.begin : group * order.group_size, (group + 1) * order.group_size};
    }
    return any_long ? spans : std::vector<RowSpan>();
}

namespace {

int64_t first_padding(const RowOrderView &order) {
    return order.perm == nullptr ? order.k : std::find(order.perm, order.perm + order.k_packed, -1) - order.perm;
}

} // namespace

PackTask make_task(const PackRequest &request, const PreparedPack &prepared, std::byte *body) {
    const PackPlan &plan = prepared.plan;
    PackTask task;
    task.geometry = prepared.geometry;
    task.order = prepared.order.view();
    task.k = request.k;
    task.n = request.n;
    task.first_padding = first_padding(task.order);
    task.src = request.src.data();
    task.source = request.source;
    task.src_type = request.src_type;
    task.src_order = request.src_order;
    task.ld_src = plan.ld_src;
    task.aligned = reinterpret_cast<uintptr_t>(task.src) % 16 == 0 && pitch(request, plan.ld_src) % 16 == 0;
    task.values = GroupValues(request, plan.src_zero_type, plan.source_groups);
    task.offsets = plan.zeros == SourceZeros::Offset;
    task.scale_method = request.scale_method;
    task.sparsity = request.sparsity;
    task.importance = request.importance.empty() ? nullptr : request.importance.data();
    task.column_scales = request.column_scales.empty() ? nullptr : request.column_scales.data();
    task.body = body;
    return task;
}

} // namespace marlin::cuda
