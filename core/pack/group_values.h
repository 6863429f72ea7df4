// Reading the scale and the zero of (group, column) as each source arranges them; plain data that kernels take along.
#pragma once

#include <cstdint>

#include "formats/words.h"
#include "layout/element.h"
#include "pack/request.h"

namespace marlin {

class GroupValues {
public:
    GroupValues() = default;
    // src_zero_type: U8 for the nibbles of packed words, None where nothing is stored.
    GroupValues(const PackRequest &request, Type src_zero_type, int64_t groups)
        : source_(request.source), scale_type_(request.src_scale_type), zero_type_(src_zero_type),
          n_first_(request.source == Source::CompressedTensors ||
                   (request.source == Source::Plain && request.src_order == Order::NxK)),
          n_(request.n), groups_(groups), scales_(request.scales.data()), zeros_(request.zeros.data()) {}

    MARLIN_HD float scale(int64_t group, int64_t n) const {
        const int64_t index =
            source_ == Source::Marlin ? group * n_ + marlin_scale_at(n, groups_ > 1) : index_of(group, n);
        return read_value(scales_ + index * size_of(scale_type_), scale_type_);
    }

    // The zero point (8 where the source has none) or the offset.
    MARLIN_HD float zero(int64_t group, int64_t n) const {
        if (zero_type_ == Type::None)
            return 8.0f;
        switch (source_) {
        case Source::GptqV1:
            return static_cast<float>(read_nibble(zeros_, gptq_zero_at(group, n, n_)) + 1);
        case Source::GptqV2:
            return static_cast<float>(read_nibble(zeros_, gptq_zero_at(group, n, n_)));
        case Source::Awq:
            return static_cast<float>(read_nibble(zeros_, awq_zero_at(group, n, n_)));
        case Source::CompressedTensors:
            return static_cast<float>(read_nibble(zeros_, compressed_tensors_zero_at(group, n, groups_)));
        default:
            return read_value(zeros_ + index_of(group, n) * size_of(zero_type_), zero_type_);
        }
    }

    // Whether the groups of one column follow each other.
    MARLIN_HD bool n_first() const { return n_first_; }

private:
    // Scales of any source, zeros of Source::Plain: arranged as the weights are.
    MARLIN_HD int64_t index_of(int64_t group, int64_t n) const {
        return n_first_ ? n * groups_ + group : group * n_ + n;
    }

    Source source_ = Source::Plain;
    Type scale_type_ = Type::None;
    Type zero_type_ = Type::None;
    bool n_first_ = false;
    int64_t n_ = 0;
    int64_t groups_ = 0;
    const std::byte *scales_ = nullptr;
    const std::byte *zeros_ = nullptr;
};

} // namespace marlin
