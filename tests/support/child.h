// Running a piece of a test in a process of its own, with a time limit.
#pragma once

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <poll.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace marlin::test {

struct ChildResult {
    int exit_code = -1; // -1: ended by a signal, or did not end in time
    std::string how;    // in words
    std::string output; // stdout and stderr
};

inline ChildResult wait_for_child(pid_t child, int output) {
    ChildResult result;
    constexpr int kMillisecondsOfSilence = 60000;
    pollfd ready = {output, POLLIN, 0};
    char buffer[4096];
    bool late = false;
    for (;;) {
        if (poll(&ready, 1, kMillisecondsOfSilence) <= 0) {
            late = true;
            kill(child, SIGKILL);
            break;
        }
        const ssize_t count = read(output, buffer, sizeof buffer);
        if (count <= 0)
            break;
        result.output.append(buffer, static_cast<size_t>(count));
    }
    close(output);
    int status = 0;
    waitpid(child, &status, 0);
    if (late)
        result.how = "did not end in time";
    else if (WIFSIGNALED(status))
        result.how = "ended by signal " + std::to_string(WTERMSIG(status));
    else {
        result.exit_code = WEXITSTATUS(status);
        result.how = "exit code " + std::to_string(result.exit_code);
    }
    return result;
}

// Forks; the child runs body() and ends with the number it returns, without destructors or handlers of the parent.
template <typename Body>
ChildResult in_child(Body &&body) {
    int ends[2];
    if (pipe(ends) != 0)
        return {-1, "pipe failed", ""};
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        const int code = std::forward<Body>(body)();
        std::fflush(nullptr);
        _exit(code);
    }
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        return {-1, "fork failed", ""};
    }
    return wait_for_child(child, ends[0]);
}

// This test program again, from its start, running the test case of that name with additional environment variables.
inline ChildResult run_test_case_alone(const std::string &name,
                                       const std::vector<std::pair<std::string, std::string>> &environment) {
    return in_child([&]() -> int {
        unsetenv("MARLIN_TEST_COUNTS"); // the counts are the parent's
        unsetenv("MARLIN_TEST_NEEDS");
        unsetenv("MARLIN_LOG");
        for (const auto &[variable, value] : environment)
            setenv(variable.c_str(), value.c_str(), 1);
        execl("/proc/self/exe", "tests", name.c_str(), static_cast<char *>(nullptr));
        std::perror("execl");
        return 126;
    });
}

} // namespace marlin::test

// In the body of a child: says which expectation failed and ends with code 1.
#define CHILD_EXPECT(condition)                                                                                        \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            std::fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);                         \
            return 1;                                                                                                  \
        }                                                                                                              \
    } while (false)
