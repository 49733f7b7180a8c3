// Landlock, the kernel's file rules a process lays on itself and its children. It has no functions in the C library, and
// the system's header may be older than the kernel, so numbers and layouts are our own.
#ifndef MLD_CLINUX_LANDLOCK_H
#define MLD_CLINUX_LANDLOCK_H

#include <stdbool.h>

/// The version of Landlock (its "ABI") in this kernel, from 1 on; -1 with errno: ENOSYS where it was built without,
/// EOPNOTSUPP where it was not switched on at boot.
int mld_landlock_version(void);

/// What a rule lets processes do with a file, or with everything below a directory.
enum mld_landlock_access {
    /// Read, list and execute.
    MLD_LANDLOCK_READ,
    /// Besides, write to what is there, devices included; nothing can be made or removed.
    MLD_LANDLOCK_USE,
    /// Besides, make, rename and remove anything but devices.
    MLD_LANDLOCK_WRITE,
};

/// A new set of rules, which grants nothing yet of all that `version` knows of files; from version 6 on it also holds
/// signals and abstract Unix sockets inside. With `deny_tcp`, from version 4 on, it refuses to bind and to connect TCP.
/// A descriptor, close-on-exec, or -1 with errno.
int mld_landlock_rules(int version, bool deny_tcp);

/// A descriptor, close-on-exec, that stands for a path and can be used for nothing but a rule; -1 with errno.
int mld_landlock_open(const char *path);

/// Grants `access` to what the descriptor `file` stands for. 0, or -1 with errno: EBADFD for what needs no rule (a pipe,
/// a socket).
int mld_landlock_grant(int rules, int version, int file, enum mld_landlock_access access);

/// Lays the rules on this process for good; no_new_privs must be set. 0, or -1 with errno.
int mld_landlock_restrict(int rules);

#endif
