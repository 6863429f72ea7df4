// Part of marlin.hpp: descriptions and answers, with the fields of marlin.h, which explains each; zero by default.
#ifndef MARLIN_HPP_OPTIONS_HPP
#define MARLIN_HPP_OPTIONS_HPP

#include <cstddef>
#include <cstdint>
#include <string>

#include <marlin/hpp/names.hpp>
#include <marlin/hpp/views.hpp>
#include <marlin/marlin.h>

namespace marlin {

struct HandleOptions {
    Device device = Device::Default;
    std::int32_t device_id = 0;
    std::int32_t num_threads = 0;
    marlin_stream_t stream = nullptr;
    void *workspace = nullptr;
    std::size_t workspace_size = 0;
};

struct HandleInfo {
    Device device = Device::Default;
    std::int32_t device_id = 0;
    std::int32_t compute_capability = 0;
    std::int32_t sm_count = 0;
    std::int32_t num_threads = 0;
    std::size_t workspace_size = 0;
    std::string name;
};

// marlin_pack_desc. group_size has no default: 0 is refused.
struct PackOptions {
    Source source = Source::Plain;
    Type src_type = Type::None;
    Order src_order = Order::KxN;
    Type src_scale_type = Type::None;
    Type src_zero_type = Type::None;
    Type type = Type::None;
    Type zero_type = Type::None;
    Type scale_type = Type::None;
    Layout layout = Layout::Default;
    ScaleMethod scale_method = ScaleMethod::MinMax;
    Sparsity sparsity = Sparsity::Dense;
    bool act_order = false;     // PackInput::g_idx will be given
    bool column_scales = false; // PackInput::column_scales will be given
    std::int64_t k = 0;
    std::int64_t n = 0;
    std::int64_t ld_src = 0;
    std::int64_t group_size = 0;
};

// marlin_pack_input. The library checks every size; marlin_source in marlin.h has the shapes.
struct PackInput {
    ConstBytes src = {};
    ConstBytes scales = {};
    ConstBytes zeros = {};
    Span<const std::int32_t> g_idx = {};
    Span<const float> importance = {};
    Span<const float> column_scales = {};
    bool host_memory = false; // for a CUDA handle: all of them lie in host memory
};

// The kernel that a multiply gets: marlin_gemm_info.
struct GemmInfo {
    std::int32_t tile_m = 0;
    std::int32_t tile_n = 0;
    std::int32_t tile_k = 0;
    std::int32_t stages = 0;
    std::int32_t blocks = 0;
    std::size_t workspace_size = 0;
    std::int32_t kernel_number = 0;
    bool slow = false;
    std::string kernel;
    std::string why;
};

// ---- As the C interface has them ------------------------------------------------------------------------------------

namespace detail {

template <typename Raw>
Raw with_size() noexcept {
    Raw raw = {};
    raw.struct_size = sizeof(raw);
    return raw;
}
template <typename Enum>
constexpr std::int32_t number(Enum value) noexcept {
    return static_cast<std::int32_t>(value);
}

inline marlin_handle_desc raw(const HandleOptions &options) noexcept {
    auto desc = with_size<marlin_handle_desc>();
    desc.device = number(options.device);
    desc.device_id = options.device_id;
    desc.num_threads = options.num_threads;
    desc.stream = options.stream;
    desc.workspace = options.workspace;
    desc.workspace_size = options.workspace_size;
    return desc;
}

inline HandleInfo info(const marlin_handle_info &raw) {
    HandleInfo info;
    info.device = static_cast<Device>(raw.device);
    info.device_id = raw.device_id;
    info.compute_capability = raw.compute_capability;
    info.sm_count = raw.sm_count;
    info.num_threads = raw.num_threads;
    info.workspace_size = raw.workspace_size;
    info.name = raw.name;
    return info;
}

inline marlin_pack_desc raw(const PackOptions &options) noexcept {
    auto desc = with_size<marlin_pack_desc>();
    desc.source = number(options.source);
    desc.src_type = number(options.src_type);
    desc.src_order = number(options.src_order);
    desc.src_scale_type = number(options.src_scale_type);
    desc.src_zero_type = number(options.src_zero_type);
    desc.type = number(options.type);
    desc.zero_type = number(options.zero_type);
    desc.scale_type = number(options.scale_type);
    desc.layout = number(options.layout);
    desc.scale_method = number(options.scale_method);
    desc.sparsity = number(options.sparsity);
    if (options.act_order)
        desc.flags |= MARLIN_PACK_ACT_ORDER;
    if (options.column_scales)
        desc.flags |= MARLIN_PACK_COLUMN_SCALES;
    desc.k = options.k;
    desc.n = options.n;
    desc.ld_src = options.ld_src;
    desc.group_size = options.group_size;
    return desc;
}

inline marlin_pack_input raw(const PackInput &input) noexcept {
    auto raw = with_size<marlin_pack_input>();
    raw.memory = input.host_memory ? 1 : 0;
    raw.src = input.src.data();
    raw.src_size = input.src.size();
    raw.scales = input.scales.data();
    raw.scales_size = input.scales.size();
    raw.zeros = input.zeros.data();
    raw.zeros_size = input.zeros.size();
    raw.g_idx = input.g_idx.data();
    raw.g_idx_size = input.g_idx.size() * sizeof(std::int32_t);
    raw.importance = input.importance.data();
    raw.importance_size = input.importance.size() * sizeof(float);
    raw.column_scales = input.column_scales.data();
    raw.column_scales_size = input.column_scales.size() * sizeof(float);
    return raw;
}

inline GemmInfo info(const marlin_gemm_info &raw) {
    GemmInfo info;
    info.tile_m = raw.tile_m;
    info.tile_n = raw.tile_n;
    info.tile_k = raw.tile_k;
    info.stages = raw.stages;
    info.blocks = raw.blocks;
    info.workspace_size = raw.workspace_size;
    info.kernel_number = raw.kernel_number;
    info.slow = raw.slow != 0;
    info.kernel = raw.kernel;
    info.why = raw.why;
    return info;
}

} // namespace detail
} // namespace marlin

#endif // MARLIN_HPP_OPTIONS_HPP
