// Reading problems of packing.
#include <sstream>
#include <vector>

#include "common/error.h"
#include "cuda_pack_problem.h"

namespace marlin::bench {
namespace {

Type type_of(const std::string &word) {
    for (const Type type : {Type::F16, Type::BF16, Type::F32, Type::S4, Type::U4, Type::U8})
        if (word == to_string(type))
            return type;
    return Type::None;
}

void read_source(const std::string &word, PackRequest &request) {
    request.source = word == "gptq"     ? Source::GptqV2
                     : word == "awq"    ? Source::Awq
                     : word == "ct"     ? Source::CompressedTensors
                     : word == "marlin" ? Source::Marlin
                                        : Source::Plain;
    if (request.source == Source::Plain)
        request.src_type = type_of(word);
    if (request.source == Source::Plain && request.src_type == Type::None)
        fail(Status::InvalidArgument, "pack is followed by {}, expected a source", word);
    if (request.source != Source::Plain || is_code4(request.src_type))
        request.src_scale_type = Type::F16;
}

void read_word(const std::string &word, PackProblem &problem) {
    PackRequest &request = problem.request;
    const bool values = request.source == Source::Plain && is_float(request.src_type);
    if (word == "nxk") {
        (problem.unpack ? problem.dst_order : request.src_order) = Order::NxK;
    } else if (word == "s24") {
        request.sparsity = Sparsity::Select24;
        request.layout = Layout::Sparse24Draft;
    } else if (word == "perm") {
        request.act_order = true;
    } else if (word == "lsq") {
        request.scale_method = ScaleMethod::LeastSquares;
    } else if (word[0] == 'z' && type_of(word.substr(1)) != Type::None) {
        const Type type = type_of(word.substr(1));
        (values ? request.zero_type : request.src_zero_type) = type;
        request.type = Type::U4;
    } else if (word == "gcol") {
        request.group_size = kGroupPerColumn;
    } else {
        const int64_t number = std::atoll(word.c_str() + 1);
        if (number < 1 || (word[0] != 'g' && word[0] != 'n' && word[0] != 'k'))
            fail(Status::InvalidArgument, "{} is no word of a packing problem", word);
        (word[0] == 'g' ? request.group_size : word[0] == 'n' ? request.n : request.k) = number;
    }
}

} // namespace

PackProblem pack_problem(const std::string &text) {
    std::istringstream words(text);
    std::string kind;
    std::string what;
    words >> kind >> what;
    PackProblem problem;
    problem.unpack = kind == "unpack";
    if (kind != "pack" && kind != "unpack")
        fail(Status::InvalidArgument, "a packing problem begins with {}, expected pack or unpack", kind);
    problem.request.layout = Layout::Dense;
    problem.request.group_size = 128;
    if (problem.unpack) {
        problem.dst_type = type_of(what);
        read_source(problem.dst_type == Type::U4 ? "u4" : "s4", problem.request);
    } else {
        read_source(what, problem.request);
    }
    for (std::string word; words >> word;)
        read_word(word, problem);
    return problem;
}

const std::vector<std::string> &pack_problems() {
    static const std::vector<std::string> problems = [] {
        std::vector<std::string> result;
        for (const char *what : {"pack gptq g128",
                                 "pack awq g128",
                                 "pack ct g128",
                                 "pack marlin g128",
                                 "pack s4 g128",
                                 "pack s4 g128 nxk",
                                 "pack f16 g128",
                                 "pack f16 g128 nxk",
                                 "pack bf16 g128 nxk",
                                 "pack f32 g128",
                                 "pack f16 g128 nxk lsq",
                                 "pack f16 g128 lsq zu8",
                                 "pack f16 g128 nxk lsq s24",
                                 "pack f16 gcol nxk",
                                 "pack f16 gcol nxk lsq",
                                 "pack gptq g32",
                                 "pack gptq g128 perm",
                                 "pack ct g128 perm",
                                 "pack f16 g128 nxk perm",
                                 "pack gptq g128 s24",
                                 "unpack f16 g128",
                                 "unpack f16 g128 nxk",
                                 "unpack f32 g128 nxk",
                                 "unpack s4 g128",
                                 "unpack f16 g128 perm",
                                 "unpack f16 g128 nxk s24"})
            result.push_back(std::string(what) + " n28672 k8192");
        result.emplace_back("pack gptq g128 n8192 k16384");
        return result;
    }();
    return problems;
}

} // namespace marlin::bench
