#ifndef MLD_AFFINITY_H
#define MLD_AFFINITY_H

// How many CPUs the calling thread may run on, or -1. A shim because sched_getaffinity is a GNU extension that Swift's
// Glibc module does not show.
int mld_usable_cpus(void);

#endif
