// Requests for whole, aligned layers in every combination that has kernels of its own.
#pragma once

#include <vector>

#include "support/pack_cases.h"

namespace marlin::test {

inline std::vector<PackSpec> whole_layers(int64_t k, int64_t n) {
    std::vector<PackRequest> sources;
    for (const Source source :
         {Source::GptqV1, Source::GptqV2, Source::Awq, Source::CompressedTensors, Source::Marlin}) {
        sources.emplace_back().source = source;
        sources.back().src_scale_type = Type::F16;
    }
    for (const Type type : {Type::S4, Type::U4, Type::F16, Type::BF16, Type::F32})
        for (const Order order : {Order::KxN, Order::NxK}) {
            PackRequest &r = sources.emplace_back();
            r.src_type = type;
            r.src_order = order;
            r.src_scale_type = is_code4(type) ? Type::BF16 : Type::None;
            r.type = is_code4(type) ? Type::None : Type::S4;
        }
    std::vector<PackSpec> specs;
    for (const PackRequest &source : sources)
        for (const Layout layout : {Layout::Dense, Layout::Sparse24Draft, Layout::CpuDraft, Layout::CpuSparse24Draft})
            for (const int64_t group_size : {32, 64, 128, -1})
                for (const Rows rows : {Rows::InOrder, Rows::Shuffled, Rows::Ragged}) {
                    PackSpec &s = specs.emplace_back();
                    s.seed = 100 + specs.size();
                    s.rows = rows;
                    s.zeros =
                        specs.size() % 2 == 0 && source.source != Source::Plain && source.source != Source::Marlin;
                    s.request = source;
                    PackRequest &r = s.request;
                    r.k = k;
                    r.n = n;
                    r.layout = layout;
                    r.group_size = group_size;
                    r.act_order = rows != Rows::InOrder;
                    if (is_sparse24(layout))
                        r.sparsity = r.act_order || specs.size() % 4 != 0 ? Sparsity::Select24 : Sparsity::Already24;
                    if (source.source == Source::Awq)
                        s.zeros = true;
                    // The three grids in turn.
                    const Type zero = std::vector{Type::None, Type::U8, Type::F32}[specs.size() / 3 % 3];
                    if (zero != Type::None && source.source == Source::Plain && source.src_type != Type::S4) {
                        (is_code4(source.src_type) ? r.src_zero_type : r.zero_type) = zero;
                        if (!is_code4(source.src_type))
                            r.type = Type::U4;
                    }
                }
    return specs;
}

} // namespace marlin::test
