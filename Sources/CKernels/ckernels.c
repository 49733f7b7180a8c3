#define _GNU_SOURCE
#include "ckernels.h"

#include <malloc.h>
#include <sched.h>
#include <stdlib.h>

size_t mld_heap_in_use(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

int mld_usable_cpus(void) {
    // The kernel refuses a set smaller than its own, so grow until it fits.
    for (int limit = 1024; limit <= 1 << 16; limit *= 2) {
        cpu_set_t *set = CPU_ALLOC(limit);
        if (!set) return 1;
        size_t size = CPU_ALLOC_SIZE(limit);
        int count = sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : 0;
        CPU_FREE(set);
        if (count > 0) return count;
    }
    return 1;
}
