// Which reader a source of codes has.
#pragma once

#include "cuda/pack/read_codes.h"
#include "cuda/pack/read_words.h"

namespace marlin::cuda {

// visit(reader) with an object of the type that reads the task's source.
template <typename Visit>
auto with_reader(const PackTask &task, Visit visit) {
    switch (task.source) {
    case Source::GptqV1:
    case Source::GptqV2:
        return visit(WordsReader<GptqWords>());
    case Source::Awq:
        return visit(WordsReader<AwqWords>());
    case Source::CompressedTensors:
        return visit(WordsReader<CompressedTensorsWords>());
    case Source::Marlin:
        return visit(WordsReader<MarlinWords>());
    default:
        return task.src_order == Order::KxN ? visit(PlainReader<false>()) : visit(PlainReader<true>());
    }
}

} // namespace marlin::cuda
