// Counting the allocations of this program, the library's among them, and making them fail.
#pragma once

#include <cstdint>

namespace marlin::test {

// Allocations so far, of all threads: operator new, and malloc and its relatives where no sanitizer has taken them
// over.
int64_t allocation_count();
// Memory from operator new that was not given back yet, in pieces.
int64_t live_new_count();

// While one lives, allocations of this thread fail: from number `first` (0: the next) on, `count` of them.
class FailingAllocations {
public:
    FailingAllocations(int64_t first, int64_t count);
    ~FailingAllocations();
    FailingAllocations(const FailingAllocations &) = delete;
    FailingAllocations &operator=(const FailingAllocations &) = delete;

    // How many have failed so far.
    int64_t failed() const;
};

} // namespace marlin::test
