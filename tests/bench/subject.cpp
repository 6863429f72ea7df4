// Making weights and activations, and calling the C interface.
#include "subject.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>

#include "common/arith.h"
#include "common/error.h"
#include "layout/element.h"

namespace marlin::bench {
namespace {

void check(marlin_status status, marlin_handle_t handle) {
    if (status == MARLIN_SUCCESS)
        return;
    char text[512] = "";
    marlin_last_error(handle, text, sizeof text);
    fail(static_cast<Status>(status), "{}: {}", marlin_status_name(status), text);
}

void store(std::byte *at, Type type, float value) {
    if (type == Type::F32) {
        std::memcpy(at, &value, sizeof value);
        return;
    }
    const uint16_t bits = f32_to_half(value, type);
    std::memcpy(at, &bits, sizeof bits);
}

std::vector<std::byte> normal_values(int64_t count, Type type, uint32_t seed) {
    std::vector<std::byte> values(static_cast<size_t>(count * size_of(type)));
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (int64_t i = 0; i < count; ++i)
        store(values.data() + i * size_of(type), type, normal(random));
    return values;
}

constexpr size_t kPackedAlignment = 256;

std::byte *allocate(size_t size) {
    void *bytes = std::aligned_alloc(kPackedAlignment, round_up(static_cast<int64_t>(size), kPackedAlignment));
    if (bytes == nullptr)
        fail(Status::OutOfMemory, "{} bytes of packed weights cannot be allocated", size);
    return static_cast<std::byte *>(bytes);
}

} // namespace

void FreeBytes::operator()(std::byte *bytes) const {
    std::free(bytes);
}

Handle::Handle(int threads, int32_t isa) {
    marlin_handle_desc desc = {};
    desc.struct_size = sizeof desc;
    desc.device = MARLIN_DEVICE_CPU;
    desc.num_threads = threads;
    check(marlin_handle_create(&desc, &handle_), nullptr);
    check(marlin_handle_set_option(handle_, MARLIN_OPTION_CPU_ISA, isa), handle_);
    info_.struct_size = sizeof info_;
    check(marlin_handle_get_info(handle_, &info_), handle_);
}

Subject::Subject(const Handle &handle, const Problem &problem) : handle_(handle), problem_(problem) {
    pack();
    a_ = normal_values((problem.m - 1) * problem.lda + problem.k, problem.a_type, 1);
    c_.resize(static_cast<size_t>(((problem.m - 1) * problem.ldc + problem.n) * size_of(problem.c_type)));
    if (problem.bias)
        bias_ = normal_values(problem.n, problem.bias_type, 2);
    desc_.struct_size = sizeof desc_;
    desc_.a_type = static_cast<int32_t>(problem.a_type);
    desc_.c_type = static_cast<int32_t>(problem.c_type);
    desc_.bias_type = static_cast<int32_t>(problem.bias_type);
    desc_.m = problem.m;
    desc_.lda = problem.lda;
    desc_.ldc = problem.ldc;
    desc_.bias = bias_.empty() ? nullptr : bias_.data();
    info_.struct_size = sizeof info_;
    check(marlin_gemm_query(handle_.get(), &desc_, &weights_[0], &info_), handle_.get());
}

void Subject::pack() {
    const int64_t n = problem_.n;
    const int64_t k = problem_.k;
    const int64_t groups = problem_.group_size == kGroupPerColumn ? 1 : div_up(k, problem_.group_size);
    std::mt19937 random(3);
    std::vector<std::byte> codes(static_cast<size_t>(k * n));
    for (std::byte &code : codes) {
        const auto u = static_cast<int>(random() >> 28);
        code = static_cast<std::byte>(problem_.type == Type::S4 ? u - 8 : u);
    }
    std::vector<float> scales(static_cast<size_t>(groups * n));
    for (float &scale : scales)
        scale = 0.005f + 0.01f * static_cast<float>(random() >> 8) * 0x1p-24f;
    const bool has_zeros = problem_.zero_type != Type::None;
    const bool offsets = is_float(problem_.zero_type);
    std::vector<std::byte> zeros(has_zeros ? static_cast<size_t>(groups * n * size_of(problem_.zero_type)) : 0);
    for (int64_t i = 0; has_zeros && i < groups * n; ++i) {
        std::byte *zero = zeros.data() + i * size_of(problem_.zero_type);
        if (offsets)
            store(zero, problem_.zero_type, -8.0f * scales[static_cast<size_t>(i)]);
        else
            *zero = static_cast<std::byte>(random() % 17);
    }

    marlin_pack_desc desc = {};
    desc.struct_size = sizeof desc;
    desc.src_type = static_cast<int32_t>(problem_.type);
    desc.src_scale_type = MARLIN_TYPE_F32;
    desc.src_zero_type = static_cast<int32_t>(problem_.zero_type);
    desc.scale_type = static_cast<int32_t>(problem_.scale_type);
    desc.sparsity = problem_.sparse ? MARLIN_SPARSITY_SELECT_24 : MARLIN_SPARSITY_DENSE;
    desc.k = k;
    desc.n = n;
    desc.group_size = problem_.group_size;
    marlin_pack_input input = {};
    input.struct_size = sizeof input;
    input.src = codes.data();
    input.src_size = codes.size();
    input.scales = scales.data();
    input.scales_size = scales.size() * sizeof scales[0];
    input.zeros = has_zeros ? zeros.data() : nullptr;
    input.zeros_size = zeros.size();
    check(marlin_pack_size(handle_.get(), &desc, &packed_size_), handle_.get());
    for (int64_t copy = 0; copy < copies_to_rotate(static_cast<int64_t>(packed_size_)); ++copy) {
        packed_.emplace_back(allocate(packed_size_));
        marlin_weights weights = {};
        weights.struct_size = sizeof weights;
        if (copy == 0) {
            check(marlin_pack(handle_.get(), &desc, &input, packed_[0].get(), packed_size_, &weights), handle_.get());
        } else {
            std::memcpy(packed_.back().get(), packed_[0].get(), packed_size_);
            check(marlin_weights_attach(handle_.get(), packed_.back().get(), packed_size_, &weights), handle_.get());
        }
        weights_.push_back(weights);
    }
}

void Subject::multiply(int64_t copy) {
    const auto call = problem_.sparse ? marlin_sp_gemm : marlin_gemm;
    check(call(handle_.get(), &desc_, a_.data(), &weights_[static_cast<size_t>(copy)], c_.data()), handle_.get());
}

Timing Subject::time(int repeats) {
    return measure(repeats, [this](int64_t i) { multiply(i % copies()); });
}

double Subject::error() const {
    const WeightsView view = attach_host({packed_[0].get(), packed_size_});
    const Geometry &g = view.geometry;
    std::mt19937 random(4);
    double worst = 0.0;
    double largest = 0.0;
    for (int sample = 0; sample < 64; ++sample) {
        const int64_t m = random() % static_cast<uint64_t>(problem_.m);
        const int64_t n = random() % static_cast<uint64_t>(problem_.n);
        double exact = 0.0;
        if (problem_.bias)
            exact = read_value(bias_.data() + n * size_of(problem_.bias_type), problem_.bias_type);
        for (int64_t k = 0; k < problem_.k; ++k) {
            const Element element = read_element(view, k, n);
            if (element.pruned)
                continue;
            const ZeroAndOffset zero = read_zero(view, g.group_of(k), n);
            const double w = (static_cast<double>(element.code) - static_cast<double>(zero.zero)) *
                                 static_cast<double>(read_scale(view, g.group_of(k), n)) +
                             static_cast<double>(zero.offset);
            exact += w * static_cast<double>(read_value(a_.data() + (m * problem_.lda + k) * size_of(problem_.a_type),
                                                        problem_.a_type));
        }
        const double got = read_value(c_.data() + (m * problem_.ldc + n) * size_of(problem_.c_type), problem_.c_type);
        worst = std::max(worst, std::isnan(got) ? INFINITY : std::abs(got - exact));
        largest = std::max(largest, std::abs(exact));
    }
    return largest == 0.0 ? worst : worst / largest;
}

} // namespace marlin::bench
