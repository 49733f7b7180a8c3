#define _GNU_SOURCE
#include "affinity.h"

#include <errno.h>
#include <sched.h>
#include <stddef.h>

enum { most_cpus = 65536 };

int mld_usable_cpu_numbers(int *numbers, int room) {
    // The kernel refuses a mask smaller than its own, so ask with ever larger ones.
    for (int cpus = 1024; cpus <= most_cpus; cpus *= 4) {
        cpu_set_t *set = CPU_ALLOC(cpus);
        if (!set) return -1;
        size_t size = CPU_ALLOC_SIZE(cpus);
        int count = sched_getaffinity(0, size, set) == 0 ? 0 : -1;
        for (int cpu = 0; count >= 0 && cpu < cpus; cpu++) {
            if (!CPU_ISSET_S(cpu, size, set)) continue;
            if (count < room) numbers[count] = cpu;
            count++;
        }
        CPU_FREE(set);
        if (count > 0) return count;
    }
    return -1;
}

int mld_usable_cpus(void) { return mld_usable_cpu_numbers(NULL, 0); }

int mld_run_on_cpus(const int *numbers, int count) { return mld_keep_on_cpus(0, numbers, count); }

int mld_keep_on_cpus(int thread, const int *numbers, int count) {
    size_t size = CPU_ALLOC_SIZE(most_cpus);
    cpu_set_t *set = CPU_ALLOC(most_cpus);
    if (!set) {
        errno = ENOMEM;
        return -1;
    }
    CPU_ZERO_S(size, set);
    for (int i = 0; i < count; i++)
        if (numbers[i] >= 0 && numbers[i] < most_cpus) CPU_SET_S(numbers[i], size, set);
    int result = sched_setaffinity(thread, size, set);
    int code = errno;
    CPU_FREE(set);
    errno = code;
    return result;
}
