// Checks of a pack request before any weight is read.
#include "pack/prepare.h"

#include <cmath>

#include "common/error.h"
#include "pack/pack.h"
#include "pack/tile_source.h"

namespace marlin {
namespace {

RowOrder make_row_order(const PackRequest &r) {
    return r.act_order ? RowOrder(r.layout, r.k, r.group_size, r.g_idx) : RowOrder(r.layout, r.k, r.group_size);
}

void check_importance(const PackRequest &r) {
    for (size_t i = 0; i < r.importance.size(); ++i)
        if (!std::isfinite(r.importance[i]) || r.importance[i] < 0.0f)
            fail(Status::InvalidArgument, "importance of row {} is {}, expected a finite number >= 0", i,
                 r.importance[i]);
}

void check_column_scales(const PackRequest &r) {
    for (size_t i = 0; i < r.column_scales.size(); ++i)
        if (!std::isfinite(r.column_scales[i]))
            fail(Status::InvalidArgument, "column_scales[{}] is {}, expected a finite number", i, r.column_scales[i]);
}

bool is_aligned(std::span<const std::byte> packed) {
    return reinterpret_cast<uintptr_t>(packed.data()) % kSectionAlignment == 0;
}

void check_packed(std::span<const std::byte> packed, int64_t size) {
    if (static_cast<int64_t>(packed.size()) < size)
        fail(Status::InvalidArgument, "packed_size is {}, expected at least {}", packed.size(), size);
    if (!is_aligned(packed))
        fail(Status::InvalidArgument, "packed is {}, expected a pointer aligned to {} bytes",
             static_cast<const void *>(packed.data()), kSectionAlignment);
}

PackPlan checked_plan(const PackRequest &request) {
    const PackPlan plan = make_plan(request);
    check_sizes(request, plan);
    check_importance(request);
    check_column_scales(request);
    return plan;
}

} // namespace

PreparedPack prepare_pack(const PackRequest &request, std::span<const std::byte> packed) {
    PackPlan plan = checked_plan(request);
    RowOrder order = make_row_order(request);
    plan.shape.k_packed = order.k_packed();
    plan.shape.has_perm = order.has_perm();
    check_packed(packed, packed_size(plan.shape));
    const Geometry geometry = make_geometry(plan.shape);
    return {plan, std::move(order), geometry};
}

std::optional<PreparedPack> prepare_even_pack(const PackRequest &request, std::span<const std::byte> packed) {
    PackPlan plan = checked_plan(request);
    const bool even = plan.shape.has_perm && request.k % request.group_size == 0 &&
                      static_cast<int64_t>(request.g_idx.size()) == request.k;
    if (!even)
        return {};
    RowOrder order(request.layout, request.k, request.group_size);
    plan.shape.k_packed = order.k_packed();
    if (static_cast<int64_t>(packed.size()) < packed_size(plan.shape) || !is_aligned(packed))
        return {};
    const Geometry geometry = make_geometry(plan.shape);
    return PreparedPack{plan, std::move(order), geometry};
}

void check_column(const PackRequest &request, const PreparedPack &prepared, int64_t column) {
    const PackJob job{request, prepared.plan, prepared.geometry, prepared.order};
    const auto tile = std::make_unique<Tile>();
    make_source(job)->check(column, *tile);
}

} // namespace marlin
