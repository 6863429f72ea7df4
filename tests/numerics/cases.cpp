// The lists of problems.
#include "numerics/cases.h"

#include <iterator>

#include "numerics/weights.h"

namespace marlin::test {
namespace {

constexpr Type kFloats[] = {Type::F16, Type::BF16, Type::F32};
constexpr Type kZeros[] = {Type::None, Type::U8, Type::F16, Type::BF16, Type::F32};
constexpr int64_t kGroups[] = {32, 64, 128, kGroupPerColumn};

Problem make_problem(bool sparse, Type a_type, int64_t m, int64_t n, int64_t k) {
    Problem p;
    p.sparse = sparse;
    p.a_type = a_type;
    p.c_type = a_type;
    p.bias_type = a_type;
    p.m = m;
    p.n = n;
    p.k = k;
    p.lda = k;
    p.ldc = n;
    return p;
}

void set_zero(Problem &p, Type zero_type) {
    p.zero_type = zero_type;
    p.type = zero_type == Type::None ? Type::S4 : Type::U4;
}

template <typename T, size_t size>
T pick(Random &random, const T (&values)[size]) {
    return values[random.below(static_cast<int64_t>(size))];
}

} // namespace

std::vector<Problem> all_formats(bool sparse) {
    std::vector<Problem> problems;
    for (Type a_type : kFloats)
        for (Type c_type : kFloats)
            for (Type zero_type : kZeros)
                for (int64_t group : kGroups)
                    for (Type scale_type : {Type::F16, Type::BF16}) {
                        Problem p = make_problem(sparse, a_type, 3, 70, 201);
                        p.c_type = c_type;
                        p.bias_type = c_type;
                        set_zero(p, zero_type);
                        p.group_size = group;
                        p.scale_type = scale_type;
                        problems.push_back(p);
                    }
    return problems;
}

std::vector<Problem> all_sizes(bool sparse) {
    std::vector<Problem> problems;
    for (Type a_type : kFloats) {
        for (int64_t m = 1; m <= 26; ++m)
            problems.push_back(make_problem(sparse, a_type, m, 65, 130));
        for (int64_t m : {63, 64, 65, 129, 200})
            problems.push_back(make_problem(sparse, a_type, m, 130, 70));
        for (int64_t n : {1, 2, 7, 8, 15, 16, 17, 31, 33, 47, 49, 63, 64, 127, 128, 129, 257})
            problems.push_back(make_problem(sparse, a_type, 2, n, 64));
        for (int64_t k : {1, 2, 3, 4, 5, 7, 8, 15, 31, 32, 33, 63, 65, 100, 127, 128, 129, 255, 256, 257, 1000})
            problems.push_back(make_problem(sparse, a_type, 2, 33, k));
    }
    return problems;
}

std::vector<Problem> drawn(bool sparse, int count, uint64_t seed) {
    Random random(seed);
    std::vector<Problem> problems;
    for (int i = 0; i < count; ++i) {
        Problem p = make_problem(sparse, pick(random, kFloats), 1 + random.below(random.below(4) == 0 ? 70 : 9),
                                 1 + random.below(200), 1 + random.below(400));
        p.c_type = pick(random, kFloats);
        p.group_size = pick(random, kGroups);
        set_zero(p, pick(random, kZeros));
        p.scale_type = random.below(2) != 0 ? Type::F16 : Type::BF16;
        p.bias = random.below(2) != 0;
        p.bias_type = pick(random, kFloats);
        p.act_order = random.below(3) == 0;
        p.lda = p.k + random.below(3) * random.below(20);
        p.ldc = p.n + random.below(3) * random.below(20);
        problems.push_back(p);
    }
    return problems;
}

} // namespace marlin::test
