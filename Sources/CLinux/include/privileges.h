// What a process may do: prctl's and the capability calls Swift cannot reach.
#ifndef MLD_CLINUX_PRIVILEGES_H
#define MLD_CLINUX_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Each returns 0, or -1 with errno.
int mld_become_subreaper(void);
int mld_no_new_privileges(void);
/// The kernel kills this process when its parent ends.
int mld_die_with_parent(void);
/// Closes /proc/PID of this process to others of the same user, until it executes a program.
int mld_set_undumpable(void);
/// Keeps only the capabilities in `mask` (bit N is capability N) that the process has, in every set that can be changed.
int mld_keep_capabilities(uint64_t mask);
/// The capabilities a job of root keeps: it may go on with files as root does, and do nothing to the system.
uint64_t mld_file_capabilities(void);

/// Loads a seccomp filter of `count` instructions (struct sock_filter, 8 bytes each) for this process and its children.
int mld_load_filter(const void *program, size_t count);

/// True for a path on a cgroup v2 file system.
bool mld_is_cgroup2(int fd);

#endif
