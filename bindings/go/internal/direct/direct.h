/* Multiplies called from C, in a loop: what the way through Go is compared with. */
#ifndef GO_MARLIN_DIRECT_H
#define GO_MARLIN_DIRECT_H

#include <stdint.h>

/* Makes a CPU handle of one thread, packs k x n zeros and multiplies m rows `calls` times. Returns nanoseconds of all
 * calls, or -1 where anything failed. */
int64_t go_marlin_direct(int64_t m, int64_t k, int64_t n, int64_t calls);

#endif
