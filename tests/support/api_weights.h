// Small packed weights made through the C interface, with the FP64 number that every one of them stands for.
#pragma once

#include <vector>

#include "support/api.h"
#include "support/float_formats.h"
#include "support/guarded.h"
#include "support/random.h"

namespace marlin::test {

struct WeightSpec {
    int64_t k = 128;
    int64_t n = 64;
    int64_t group_size = 64;
    int32_t zero_type = MARLIN_TYPE_NONE; // NONE: S4, else U4 with U8 zero points or F32 offsets
    int32_t layout = MARLIN_LAYOUT_DEFAULT;
    bool sparse = false; // S4 only
    bool act_order = false;
    bool column_scales = false;
    uint64_t seed = 1;
};

// Codes, scales and zeros as a source, k x n; scales are exact in F16.
class WeightSource {
public:
    explicit WeightSource(const WeightSpec &spec) : spec_(spec) {
        Random random(spec.seed);
        const auto elements = static_cast<size_t>(spec.k * spec.n);
        const auto params = static_cast<size_t>(groups() * spec.n);
        for (size_t i = 0; i < params; ++i) {
            scales_.push_back(encode_half(static_cast<double>(random.between(1, 31)) / 512, kF16));
            integer_zeros_.push_back(static_cast<uint8_t>(random.between(0, 16)));
            offsets_.push_back(static_cast<float>(random.between(-64, 64)) / 128);
        }
        for (int64_t k = 0; k < spec.k; ++k)
            g_idx_.push_back(static_cast<int32_t>(spec.act_order ? (spec.k - 1 - k) / group() : k / group()));
        for (size_t i = 0; i < elements; ++i)
            codes_.push_back(static_cast<uint8_t>(spec.sparse ? 8 : random.between(0, 15)));
        kept_.assign(elements, !spec.sparse);
        for (int64_t quad = 0; spec.sparse && quad < (spec.k + 3) / 4; ++quad)
            for (int64_t n = 0; n < spec.n; ++n)
                keep_two(quad, n, random);
        column_scales_.assign(static_cast<size_t>(spec.n), 1.0f);
    }

    const WeightSpec &spec() const { return spec_; }
    bool is_signed() const { return spec_.zero_type == MARLIN_TYPE_NONE; }

    marlin_pack_desc desc() const {
        auto desc = with_size<marlin_pack_desc>();
        desc.src_type = is_signed() ? MARLIN_TYPE_S4 : MARLIN_TYPE_U4;
        desc.src_scale_type = MARLIN_TYPE_F16;
        desc.src_zero_type = spec_.zero_type;
        desc.layout = spec_.layout;
        desc.sparsity = spec_.sparse ? MARLIN_SPARSITY_ALREADY_24 : MARLIN_SPARSITY_DENSE;
        if (spec_.act_order)
            desc.flags |= MARLIN_PACK_ACT_ORDER;
        if (spec_.column_scales)
            desc.flags |= MARLIN_PACK_COLUMN_SCALES;
        desc.k = spec_.k;
        desc.n = spec_.n;
        desc.group_size = spec_.group_size;
        return desc;
    }

    marlin_pack_input input() const {
        auto input = with_size<marlin_pack_input>();
        signed_codes_.clear();
        for (const uint8_t code : codes_)
            signed_codes_.push_back(static_cast<uint8_t>(is_signed() ? code - 8 : code));
        input.src = signed_codes_.data();
        input.src_size = signed_codes_.size();
        input.scales = scales_.data();
        input.scales_size = scales_.size() * 2;
        if (spec_.zero_type == MARLIN_TYPE_U8) {
            input.zeros = integer_zeros_.data();
            input.zeros_size = integer_zeros_.size();
        } else if (spec_.zero_type == MARLIN_TYPE_F32) {
            input.zeros = offsets_.data();
            input.zeros_size = offsets_.size() * 4;
        }
        if (spec_.act_order) {
            input.g_idx = g_idx_.data();
            input.g_idx_size = g_idx_.size() * 4;
        }
        if (spec_.column_scales) {
            input.column_scales = column_scales_.data();
            input.column_scales_size = column_scales_.size() * 4;
        }
        return input;
    }

    uint8_t &code(int64_t k, int64_t n) { return codes_[index(k, n)]; }
    bool kept(int64_t k, int64_t n) const { return kept_[index(k, n)]; }
    double scale(int64_t k, int64_t n) const { return decode_half(scales_[param(k, n)], kF16); }
    double weight(int64_t k, int64_t n) const {
        if (!kept(k, n))
            return 0.0;
        const double code = codes_[index(k, n)];
        if (spec_.zero_type == MARLIN_TYPE_F32)
            return code * scale(k, n) + static_cast<double>(offsets_[param(k, n)]);
        return (code - (is_signed() ? 8 : integer_zeros_[param(k, n)])) * scale(k, n);
    }

private:
    int64_t group() const { return spec_.group_size < 0 ? spec_.k : spec_.group_size; }
    int64_t groups() const { return (spec_.k + group() - 1) / group(); }
    size_t index(int64_t k, int64_t n) const { return static_cast<size_t>(k * spec_.n + n); }
    size_t param(int64_t k, int64_t n) const {
        return static_cast<size_t>(g_idx_[static_cast<size_t>(k)] * spec_.n + n);
    }
    void keep_two(int64_t quad, int64_t n, Random &random) {
        const int64_t first = random.between(0, 2);
        for (const int64_t k : {4 * quad + first, 4 * quad + random.between(first + 1, 3)})
            if (k < spec_.k) {
                kept_[index(k, n)] = true;
                codes_[index(k, n)] = static_cast<uint8_t>(random.pick({0, 3, 7, 9, 12, 15})); // never the 8 of 0
            }
    }

    WeightSpec spec_;
    std::vector<uint16_t> scales_;
    std::vector<uint8_t> integer_zeros_;
    std::vector<float> offsets_;
    std::vector<int32_t> g_idx_;
    std::vector<uint8_t> codes_; // unsigned
    std::vector<bool> kept_;
    std::vector<float> column_scales_;
    mutable std::vector<uint8_t> signed_codes_; // as marlin_pack wants them
};

inline size_t packed_size_of(marlin_handle_t handle, const marlin_pack_desc &desc) {
    size_t size = 0;
    CHECK_SUCCESS(handle, marlin_pack_size(handle, &desc, &size));
    return size;
}

// The same packed.
class TestWeights {
public:
    TestWeights(marlin_handle_t handle, const WeightSpec &spec)
        : source_(spec), packed_(packed_size_of(handle, source_.desc())), weights_(with_size<marlin_weights>()) {
        const marlin_pack_desc desc = source_.desc();
        const marlin_pack_input input = source_.input();
        const marlin_status status = marlin_pack(handle, &desc, &input, packed_.data(), packed_.size(), &weights_);
        INFO(last_error(handle));
        REQUIRE(status == MARLIN_SUCCESS);
        REQUIRE(packed_.fences_intact());
    }

    const WeightSource &source() const { return source_; }
    const marlin_weights *get() const { return &weights_; }
    GuardedBuffer &packed() { return packed_; }

private:
    WeightSource source_;
    GuardedBuffer packed_;
    marlin_weights weights_;
};

} // namespace marlin::test
