// The kernel's performance events, as far as meters need them: perf_event_open has no function in the C library, and Swift
// cannot fill its bit fields.
#ifndef MLD_CLINUX_PERF_H
#define MLD_CLINUX_PERF_H

#include <stdint.h>

/// Opens a counter of one event on one CPU for all processes, close-on-exec. A descriptor, or -1 with errno.
int mld_perf_open(uint32_t type, uint64_t config, int cpu);

#endif
