// Reading the scale and the zero of (group, column) as each source arranges them.
#pragma once

#include <cstdint>

#include "common/half.h"
#include "formats/words.h"
#include "pack/request.h"

namespace marlin {

class GroupValues {
public:
    // src_zero_type: U8 for the nibbles of packed words, None where nothing is stored.
    GroupValues(const PackRequest &request, Type src_zero_type, int64_t groups)
        : request_(request), zero_type_(src_zero_type), groups_(groups) {}

    float scale(int64_t group, int64_t n) const {
        const int64_t index = request_.source == Source::Marlin ? group * request_.n + marlin_scale_at(n, groups_ > 1)
                                                                : index_of(group, n);
        return read(request_.scales.data(), index, request_.src_scale_type);
    }

    // The zero point (8 where the source has none) or the offset.
    float zero(int64_t group, int64_t n) const {
        if (zero_type_ == Type::None)
            return 8.0f;
        const std::byte *const zeros = request_.zeros.data();
        switch (request_.source) {
        case Source::GptqV1:
            return static_cast<float>(read_nibble(zeros, gptq_zero_at(group, n, request_.n)) + 1);
        case Source::GptqV2:
            return static_cast<float>(read_nibble(zeros, gptq_zero_at(group, n, request_.n)));
        case Source::Awq:
            return static_cast<float>(read_nibble(zeros, awq_zero_at(group, n, request_.n)));
        case Source::CompressedTensors:
            return static_cast<float>(read_nibble(zeros, compressed_tensors_zero_at(group, n, groups_)));
        default:
            return read(zeros, index_of(group, n), zero_type_);
        }
    }

private:
    // Scales of any source, zeros of Source::Plain: arranged as the weights are.
    int64_t index_of(int64_t group, int64_t n) const {
        const bool n_first = request_.source == Source::CompressedTensors ||
                             (request_.source == Source::Plain && request_.src_order == Order::NxK);
        return n_first ? n * groups_ + group : group * request_.n + n;
    }
    static float read(const std::byte *values, int64_t index, Type type) {
        const std::byte *const at = values + index * size_of(type);
        if (type == Type::U8)
            return static_cast<float>(std::to_integer<unsigned>(*at));
        if (type == Type::F32) {
            float value = 0.0f;
            std::memcpy(&value, at, sizeof value);
            return value;
        }
        uint16_t bits = 0;
        std::memcpy(&bits, at, sizeof bits);
        return half_to_f32(bits, type);
    }

    const PackRequest &request_;
    Type zero_type_;
    int64_t groups_;
};

} // namespace marlin
