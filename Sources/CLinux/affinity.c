#define _GNU_SOURCE
#include "affinity.h"

#include <sched.h>

int mld_usable_cpus(void) {
    // The kernel refuses a mask smaller than its own, so ask with ever larger ones.
    for (int cpus = 1024; cpus <= 65536; cpus *= 4) {
        cpu_set_t *set = CPU_ALLOC(cpus);
        if (!set) return -1;
        size_t size = CPU_ALLOC_SIZE(cpus);
        int count = sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : -1;
        CPU_FREE(set);
        if (count > 0) return count;
    }
    return -1;
}
