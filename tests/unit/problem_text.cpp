// Problem to text and back: a property over random problems, and texts that must be refused.
#include <string>

#include "common/problem.h"
#include "layout/layout.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/random.h"

using namespace marlin;
using test::Random;

namespace {

Type random_float(Random &random) {
    return random.pick({Type::F16, Type::BF16, Type::F32});
}

// A problem as the library completes it: strides given, the type of an absent or ordinary bias left to C.
Problem random_problem(Random &random) {
    Problem p;
    p.sparse = random.chance();
    p.act_order = random.chance();
    p.bias = random.chance();
    p.a_type = random_float(random);
    p.c_type = random.chance() ? p.a_type : random_float(random);
    if (p.bias && random.chance())
        p.bias_type = random_float(random);
    if (p.bias_type == p.c_type)
        p.bias_type = Type::None;
    p.type = random.pick({Type::S4, Type::U4});
    p.scale_type = random.pick({Type::F16, Type::BF16});
    if (p.type == Type::U4)
        p.zero_type = random.pick({Type::U8, Type::F16, Type::BF16, Type::F32});
    p.group_size = random.pick({int64_t{32}, int64_t{64}, int64_t{128}, kGroupPerColumn});
    const int64_t largest = random.chance() ? 300 : kMaxDimension;
    p.m = random.between(0, largest);
    p.n = random.between(1, largest);
    p.k = random.between(1, largest);
    p.lda = p.k + (random.chance() ? 0 : random.between(1, 1000));
    p.ldc = p.n + (random.chance() ? 0 : random.between(1, 1000));
    return p;
}

} // namespace

TEST_CASE("text and problem are two forms of the same thing") {
    Random random(1);
    for (int round = 0; round < 3000; ++round) {
        const Problem problem = random_problem(random);
        const std::string text = to_text(problem);
        CAPTURE(text);
        REQUIRE(problem_from_text(text) == problem);
        REQUIRE(to_text(problem_from_text(text)) == text);
        REQUIRE(problem_from_text(text + " # cpu_avx2, 17 us m5") == problem);
    }
}

TEST_CASE("the common problems have the short text that people type") {
    Problem p;
    p.m = 16;
    p.n = 4096;
    p.k = 4096;
    CHECK(to_text(p) == "gemm f16 s4 g128 m16 n4096 k4096");
    p.sparse = true;
    p.a_type = Type::BF16;
    p.c_type = Type::F32;
    p.type = Type::U4;
    p.zero_type = Type::U8;
    p.group_size = kGroupPerColumn;
    p.bias = true;
    p.act_order = true;
    p.lda = 4104;
    CHECK(to_text(p) == "sp_gemm bf16 u4 gcol m16 n4096 k4096 cf32 bias perm lda4104");
    p.zero_type = Type::F32;
    p.bias_type = Type::BF16;
    p.scale_type = Type::BF16;
    CHECK(to_text(p) == "sp_gemm bf16 u4 gcol m16 n4096 k4096 cf32 sbf16 zf32 biasbf16 perm lda4104");
}

TEST_CASE("words come in any order, with any separators, and defaults are filled in") {
    const Problem p = problem_from_text("gemm f16 u4\tk100, n7,m3\n  bias  g32");
    CHECK(p.m == 3);
    CHECK(p.n == 7);
    CHECK(p.k == 100);
    CHECK(p.lda == 100);
    CHECK(p.ldc == 7);
    CHECK(p.group_size == 32);
    CHECK(p.zero_type == Type::U8);
    CHECK(p.bias);
    CHECK(p.bias_type == Type::None);
    CHECK(p.c_type == Type::F16);
}

TEST_CASE("texts that are no problem are refused with the word") {
    struct Bad {
        const char *text;
        const char *named;
    };
    const Bad bads[] = {
        {"", "expected a form such as"},
        {"gemm", "expected a form such as"},
        {"gemm f16", "expected a form such as"},
        {"# gemm f16 s4 m1 n1 k1", "expected a form such as"},
        {"GEMM f16 s4 m1 n1 k1", "expected a form such as"},
        {"gemm s4 f16 m1 n1 k1", "activation type is s4"},
        {"gemm none s4 m1 n1 k1", "activation type is none"},
        {"gemm f64 s4 m1 n1 k1", "activation type is f64"},
        {"gemm f16 s8 m1 n1 k1", "weight type is s8"},
        {"gemm f16 f16 m1 n1 k1", "weight type is f16"},
        {"gemm f16 s4 m1 n1", "expected 1 or more of both"},
        {"gemm f16 s4 m1 k1", "expected 1 or more of both"},
        {"gemm f16 s4 m-1 n1 k1", "word \"m-1\""},
        {"gemm f16 s4 m1 n0 k1", "n, k are 0, 1"},
        {"gemm f16 s4 m n1 k1", "word \"m\""},
        {"gemm f16 s4 m1x n1 k1", "word \"m1x\""},
        {"gemm f16 s4 m+1 n1 k1", "word \"m+1\""},
        {"gemm f16 s4 m1.5 n1 k1", "word \"m1.5\""},
        {"gemm f16 s4 m99999999999999999999 n1 k1", "word \"m99999999999999999999\""},
        {"gemm f16 s4 m1 n1 k1 sf32", "word \"sf32\""},
        {"gemm f16 s4 m1 n1 k1 fast", "word \"fast\""},
        {"gemm f16 s4 m1 n1 k1 c", "word \"c\""},
        {"gemm f16 s4 m1 n1 k1 cs4", "word \"cs4\""},
        {"gemm f16 s4 m1 n1 k1 biass4", "word \"biass4\""},
        {"gemm f16 u4 m1 n1 k1 zs4", "word \"zs4\""},
        {"gemm f16 u4 m1 n1 k1 zu4", "word \"zu4\""},
        {"gemm f16 s4 m1 n1 k1 zu8", "zero type is u8"},
        {"gemm f16 s4 m1 n8 k8 lda7", "lda is 7"},
        {"gemm f16 s4 m1 n8 k8 ldc7", "ldc is 7"},
        {"gemm f16 s4 m1 n8 k8 lda-8", "word \"lda-8\""},
        {"gemm f16 s4 m1 n1 k1 g0", "group_size is 0"},
        {"gemm f16 s4 m1 n1 k1 g-1", "word \"g-1\""},
    };
    for (const Bad &bad : bads) {
        const Error error = test::error_of([&] { problem_from_text(bad.text); });
        CAPTURE(bad.text, error.text());
        CHECK(error.status() == Status::InvalidArgument);
        CHECK(test::contains(error.text(), bad.named));
    }
}

TEST_CASE("random texts are read or refused, and what is read has a text of its own") {
    Random random(9);
    const char *const words[] = {"gemm", "sp_gemm", "f16", "bf16", "f32",  "s4",   "u4",      "u8",   "gcol", "g32",
                                 "m1",   "m0",      "n5",  "k9",   "cf32", "bias", "biasf32", "perm", "lda9", "zf16",
                                 "",     ",",       "#",   "\n",   "x",    "m",    "-",       "sbf16"};
    int read = 0;
    for (int round = 0; round < 20000; ++round) {
        std::string text = random.chance() ? "gemm f16 u4 n5 k9" : "";
        const int64_t count = random.between(0, 6);
        for (int64_t i = 0; i < count; ++i)
            text.append(" ").append(words[random.between(0, std::size(words) - 1)]);
        try {
            const Problem problem = problem_from_text(text);
            CAPTURE(text);
            Problem again = problem_from_text(to_text(problem));
            if (again.bias_type == Type::None && problem.bias_type == problem.c_type)
                again.bias_type = problem.bias_type; // the text leaves out what C says already
            REQUIRE(again == problem);
            ++read;
        } catch (const Error &error) {
            REQUIRE(error.status() == Status::InvalidArgument);
        }
    }
    CHECK(read > 100);
}
