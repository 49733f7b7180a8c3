#ifndef MLD_AFFINITY_H
#define MLD_AFFINITY_H

// Shims because these are GNU extensions that Swift's Glibc module does not show.

// How many CPUs the calling thread may run on, or -1.
int mld_usable_cpus(void);

// The numbers of these CPUs, rising; at most `room` are written. Returns how many there are, or -1.
int mld_usable_cpu_numbers(int *numbers, int room);

// Lets the calling thread, and what it starts, run on these CPUs alone. Returns 0, or -1 with errno.
int mld_run_on_cpus(const int *numbers, int count);

// The same for another thread, of this or another process.
int mld_keep_on_cpus(int thread, const int *numbers, int count);

#endif
