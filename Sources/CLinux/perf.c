#define _GNU_SOURCE
#include "perf.h"

#include <linux/perf_event.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int mld_perf_open(uint32_t type, uint64_t config, int cpu) {
    // All else zero: a plain count. The energy events refuse sampling and any exclusion.
    struct perf_event_attr event;
    memset(&event, 0, sizeof event);
    event.size = sizeof event;
    event.type = type;
    event.config = config;
    return (int)syscall(SYS_perf_event_open, &event, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}
