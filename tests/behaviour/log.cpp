// The log: levels, receivers, the line of each multiply, and the environment variable.
#include <atomic>
#include <mutex>
#include <thread>

#include "support/api_multiply.h"
#include "support/child.h"

using namespace marlin::test;

namespace {

// Receives the process-wide log while it lives.
class Recorder {
public:
    explicit Recorder(marlin_log_level level) { marlin_set_log(&receive, this, level); }
    ~Recorder() { marlin_set_log(nullptr, nullptr, MARLIN_LOG_OFF); }
    Recorder(const Recorder &) = delete;
    Recorder &operator=(const Recorder &) = delete;

    struct Message {
        marlin_log_level level;
        std::string text;
        std::thread::id thread;
    };
    std::vector<Message> take() {
        const std::lock_guard lock(mutex_);
        return std::exchange(messages_, {});
    }

private:
    static void receive(void *user, marlin_log_level level, const char *message) {
        auto *self = static_cast<Recorder *>(user);
        const std::lock_guard lock(self->mutex_);
        self->messages_.push_back({level, message, std::this_thread::get_id()});
    }

    std::mutex mutex_;
    std::vector<Message> messages_;
};

// A refused call, a call through a fallback, and an ordinary one.
void make_one_of_each(marlin_handle_t handle) {
    TestWeights weights(handle, {});
    TestWeights foreign(handle, {.layout = MARLIN_LAYOUT_DENSE});
    Multiply multiply(weights.source(), 2);
    CHECK(marlin_handle_set_option(handle, MARLIN_OPTION_MATH, 3) == MARLIN_INVALID_ARGUMENT);
    CHECK_SUCCESS(handle, multiply.run(handle, foreign.get()));
    CHECK_SUCCESS(handle, multiply.run(handle, weights.get()));
}

constexpr const char *kRefused = "marlin_handle_set_option: MARLIN_OPTION_MATH is 3, expected 0 to 1";

} // namespace

TEST_CASE("each level of the log includes the ones before it") {
    const Handle handle;
    {
        Recorder off(MARLIN_LOG_OFF);
        make_one_of_each(handle);
        CHECK(off.take().empty());
    }
    {
        Recorder errors(MARLIN_LOG_ERROR);
        make_one_of_each(handle);
        const auto messages = errors.take();
        REQUIRE(messages.size() == 1);
        CHECK(messages[0].level == MARLIN_LOG_ERROR);
        CHECK(messages[0].text == kRefused);
        CHECK(messages[0].thread == std::this_thread::get_id());
    }
    {
        Recorder warnings(MARLIN_LOG_WARNING);
        make_one_of_each(handle);
        const auto messages = warnings.take();
        REQUIRE(messages.size() == 2);
        CHECK(messages[0].text == kRefused);
        CHECK(messages[1].level == MARLIN_LOG_WARNING);
        CHECK_THAT(messages[1].text, Catch::Matchers::Contains("cpu_reference"));
        CHECK_THAT(messages[1].text, Catch::Matchers::Contains("layout is dense"));
    }
    Recorder calls(MARLIN_LOG_CALLS);
    make_one_of_each(handle);
    const auto messages = calls.take();
    REQUIRE(messages.size() == 4);
    CHECK(messages[1].level == MARLIN_LOG_WARNING);
    CHECK(messages[2].level == MARLIN_LOG_CALLS);
    CHECK(messages[2].text == "gemm f16 s4 g64 m2 n64 k128 cf32 # cpu_reference");
    CHECK(messages[3].level == MARLIN_LOG_CALLS);
    CHECK(messages[3].text.rfind("gemm f16 s4 g64 m2 n64 k128 cf32 # cpu_", 0) == 0);
}

// What stands before the # is the text form that tests/unit/problem_text.cpp reads back.
TEST_CASE("the line of a multiply says everything that a benchmark needs to repeat it") {
    const Handle handle;
    Recorder calls(MARLIN_LOG_CALLS);
    struct Case {
        WeightSpec spec;
        const char *line;
    };
    const Case cases[] = {
        {{.k = 100, .n = 70, .group_size = 32, .zero_type = MARLIN_TYPE_U8}, "gemm f16 u4 g32 m3 n70 k100 cf32 # "},
        {{.k = 128, .n = 64, .group_size = -1, .zero_type = MARLIN_TYPE_F32},
         "gemm f16 u4 gcol m3 n64 k128 cf32 zf32 # "},
        {{.k = 128, .n = 64, .sparse = true}, "sp_gemm f16 s4 g64 m3 n64 k128 cf32 # "},
        {{.k = 128, .n = 64, .act_order = true}, "gemm f16 s4 g64 m3 n64 k128 cf32 perm # "},
    };
    for (const Case &c : cases) {
        TestWeights weights(handle, c.spec);
        Multiply multiply(weights.source(), 3);
        auto info = with_size<marlin_gemm_info>();
        CHECK_SUCCESS(handle, marlin_gemm_query(handle, &multiply.desc, weights.get(), &info));
        CHECK_SUCCESS(handle, multiply.run(handle, weights.get()));
        const auto messages = calls.take();
        REQUIRE(messages.size() == 1);
        CHECK(messages[0].text == std::string(c.line) + info.kernel);
    }
    TestWeights weights(handle, {});
    const std::vector<float> bias(64, 1.0f);
    const std::vector<uint16_t> a(2 * 136);
    GuardedBuffer c(2 * 72 * 2);
    auto desc = with_size<marlin_gemm_desc>();
    desc.a_type = MARLIN_TYPE_BF16;
    desc.bias = bias.data();
    desc.bias_type = MARLIN_TYPE_F32;
    desc.m = 2;
    desc.lda = 136;
    desc.ldc = 72;
    CHECK_SUCCESS(handle, marlin_gemm(handle, &desc, a.data(), weights.get(), c.data()));
    const auto messages = calls.take();
    REQUIRE(messages.size() == 1);
    CHECK(messages[0].text.rfind("gemm bf16 s4 g64 m2 n64 k128 biasf32 lda136 ldc72 # cpu_", 0) == 0);

    desc.m = 0; // nothing ran
    CHECK_SUCCESS(handle, marlin_gemm(handle, &desc, a.data(), weights.get(), c.data()));
    CHECK(calls.take().empty());
}

TEST_CASE("a receiver may ask for the error it is told of, and use other handles") {
    struct Inner {
        marlin_handle_t failing;
        marlin_handle_t other;
        std::string error;
        marlin_status status = MARLIN_INTERNAL_ERROR;
    };
    const Handle handle;
    const Handle other;
    Inner inner{handle, other, {}};
    marlin_set_log(
        [](void *user, marlin_log_level, const char *) {
            auto *self = static_cast<Inner *>(user);
            self->error = last_error(self->failing);
            self->status = marlin_handle_set_option(self->other, MARLIN_OPTION_MATH, 1);
        },
        &inner, MARLIN_LOG_ERROR);
    CHECK(marlin_handle_set_option(handle, MARLIN_OPTION_MATH, 3) == MARLIN_INVALID_ARGUMENT);
    marlin_set_log(nullptr, nullptr, MARLIN_LOG_OFF);
    CHECK(inner.error == "MARLIN_OPTION_MATH is 3, expected 0 to 1");
    CHECK(inner.status == MARLIN_SUCCESS);
}

// Started by the test case below in processes of their own; the log goes to standard error there.
TEST_CASE("child of the log test", "[.child]") {
    make_one_of_each(Handle());
}
TEST_CASE("child of the log test that sets the log itself", "[.child]") {
    marlin_set_log(nullptr, nullptr, MARLIN_LOG_OFF);
    make_one_of_each(Handle());
}

TEST_CASE("the environment variable MARLIN_LOG sets the level unless the program did") {
    struct Case {
        const char *test;
        const char *value; // "": not set
        int lines;
    };
    for (const Case &c : {Case{"child of the log test", "", 0}, Case{"child of the log test", "off", 0},
                          Case{"child of the log test", "error", 1}, Case{"child of the log test", "warning", 2},
                          Case{"child of the log test", "calls", 4}, Case{"child of the log test", "loud", 0},
                          Case{"child of the log test that sets the log itself", "calls", 0}}) {
        std::vector<std::pair<std::string, std::string>> environment;
        if (*c.value != '\0')
            environment.emplace_back("MARLIN_LOG", c.value);
        const ChildResult result = run_test_case_alone(c.test, environment);
        CAPTURE(c.test, c.value, result.output);
        CHECK(result.how == "exit code 0");
        int lines = 0;
        for (size_t at = result.output.find("libmarlin: "); at != std::string::npos;
             at = result.output.find("libmarlin: ", at + 1))
            ++lines;
        CHECK(lines == c.lines);
    }
}
