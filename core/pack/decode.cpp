// One loop over rows and features for every source; the format is a function from (k, n) to the element.
#include "pack/decode.h"

#include <cstring>

#include "common/half.h"
#include "formats/words.h"
#include "layout/layout.h"

namespace marlin {
namespace {

// Sources whose consecutive k are neighbours in memory are read along k, the others along n.
template <bool along_k, typename T, typename ElementAt>
void decode(const DecodeArea &area, T *tile, ElementAt element_at) {
    if constexpr (along_k) {
        for (int64_t f = 0; f < area.features; ++f)
            for (int64_t r = 0; r < area.count; ++r)
                if (const int64_t k = area.source_row[r]; k >= 0)
                    tile[r * kColumnFeatures + f] = element_at(k, area.first_feature + f);
    } else {
        for (int64_t r = 0; r < area.count; ++r)
            if (const int64_t k = area.source_row[r]; k >= 0)
                for (int64_t f = 0; f < area.features; ++f)
                    tile[r * kColumnFeatures + f] = element_at(k, area.first_feature + f);
    }
}

template <bool along_k, typename NibbleAtKN>
void decode_words(const PackRequest &request, const DecodeArea &area, uint8_t *codes, NibbleAtKN nibble_at) {
    const std::byte *const words = request.src.data();
    decode<along_k>(area, codes,
                    [=](int64_t k, int64_t n) { return static_cast<uint8_t>(read_nibble(words, nibble_at(k, n))); });
}

// `convert` takes the bits of one element, of type Bits, at any address.
template <typename Bits, typename T, typename Convert>
void decode_plain(const PackRequest &request, int64_t ld, const DecodeArea &area, T *tile, Convert convert) {
    const std::byte *const src = request.src.data();
    const auto read = [=](int64_t index) {
        Bits bits;
        std::memcpy(&bits, src + index * static_cast<int64_t>(sizeof bits), sizeof bits);
        return static_cast<T>(convert(bits));
    };
    if (request.src_order == Order::KxN)
        decode<false>(area, tile, [=](int64_t k, int64_t n) { return read(k * ld + n); });
    else
        decode<true>(area, tile, [=](int64_t k, int64_t n) { return read(n * ld + k); });
}

} // namespace

void decode_codes(const PackRequest &r, int64_t ld_src, const DecodeArea &area, uint8_t *codes) {
    const int64_t k_size = r.k;
    const int64_t n_size = r.n;
    switch (r.source) {
    case Source::GptqV1:
    case Source::GptqV2:
        return decode_words<false>(r, area, codes, [=](int64_t k, int64_t n) { return gptq_weight_at(k, n, n_size); });
    case Source::Awq:
        return decode_words<false>(r, area, codes, [=](int64_t k, int64_t n) { return awq_weight_at(k, n, n_size); });
    case Source::CompressedTensors:
        return decode_words<true>(r, area, codes,
                                  [=](int64_t k, int64_t n) { return compressed_tensors_weight_at(k, n, k_size); });
    case Source::Marlin:
        return decode_words<false>(r, area, codes,
                                   [=](int64_t k, int64_t n) { return marlin_weight_at(k, n, n_size); });
    default:
        break;
    }
    // S4: -8 becomes 0 and 7 becomes 15 in modular arithmetic; everything else lands above 15.
    const auto bias = static_cast<uint8_t>(r.src_type == Type::S4 ? 8 : 0);
    decode_plain<uint8_t>(r, ld_src, area, codes, [=](uint8_t code) { return code + bias; });
}

void decode_values(const PackRequest &r, int64_t ld_src, const DecodeArea &area, float *values) {
    if (r.src_type == Type::F32)
        decode_plain<float>(r, ld_src, area, values, [](float value) { return value; });
    else if (r.src_type == Type::BF16)
        decode_plain<uint16_t>(r, ld_src, area, values, [](uint16_t bits) { return bf16_to_f32(bits); });
    else
        decode_plain<uint16_t>(r, ld_src, area, values, [](uint16_t bits) { return f16_to_f32(bits); });
}

int code_in_source(const PackRequest &r, int64_t ld_src, int64_t k, int64_t n) {
    const int64_t index = r.src_order == Order::KxN ? k * ld_src + n : n * ld_src + k;
    const auto code = std::to_integer<uint8_t>(r.src[static_cast<size_t>(index)]);
    return r.src_type == Type::S4 ? static_cast<int8_t>(code) : code;
}

} // namespace marlin
