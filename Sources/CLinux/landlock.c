#define _GNU_SOURCE
#include "landlock.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// The same numbers on every architecture.
#define CREATE_RULESET 444
#define ADD_RULE 445
#define RESTRICT_SELF 446

#define ASK_VERSION 1U
#define RULE_PATH_BENEATH 1

#define EXECUTE (1ULL << 0)
#define WRITE_FILE (1ULL << 1)
#define READ_FILE (1ULL << 2)
#define READ_DIR (1ULL << 3)
#define MAKE_CHAR (1ULL << 6)
#define MAKE_BLOCK (1ULL << 11)
#define ALL_OF_VERSION_1 ((1ULL << 13) - 1)
#define REFER (1ULL << 13)
#define TRUNCATE (1ULL << 14)
#define IOCTL_DEV (1ULL << 15)
#define ALL_TCP 3ULL
#define ALL_SCOPES 3ULL

struct ruleset {
    uint64_t files, network, scopes;
};

struct path_beneath {
    uint64_t access;
    int32_t parent;
} __attribute__((packed));

int mld_landlock_version(void) { return (int)syscall(CREATE_RULESET, NULL, (size_t)0, ASK_VERSION); }

static uint64_t known_rights(int version) {
    uint64_t rights = ALL_OF_VERSION_1;
    if (version >= 2) rights |= REFER;
    if (version >= 3) rights |= TRUNCATE;
    if (version >= 5) rights |= IOCTL_DEV;
    return rights;
}

int mld_landlock_rules(int version, bool deny_tcp) {
    struct ruleset rules = {known_rights(version), 0, 0};
    // The kernel takes a structure shorter or longer than its own, as long as what it does not know is zero.
    if (version >= 4 && deny_tcp) rules.network = ALL_TCP;
    if (version >= 6) rules.scopes = ALL_SCOPES;
    return (int)syscall(CREATE_RULESET, &rules, sizeof rules, 0);
}

int mld_landlock_open(const char *path) { return open(path, O_PATH | O_CLOEXEC); }

int mld_landlock_grant(int rules, int version, int file, enum mld_landlock_access access) {
    uint64_t rights = EXECUTE | READ_FILE | READ_DIR;
    if (access != MLD_LANDLOCK_READ) rights |= WRITE_FILE | TRUNCATE | IOCTL_DEV;
    if (access == MLD_LANDLOCK_WRITE) rights = ~(MAKE_CHAR | MAKE_BLOCK);
    struct stat information;
    if (fstat(file, &information) != 0) return -1;
    // What can only be done to a directory must not be granted on anything else.
    if (!S_ISDIR(information.st_mode)) rights &= EXECUTE | READ_FILE | WRITE_FILE | TRUNCATE | IOCTL_DEV;
    struct path_beneath rule = {rights & known_rights(version), file};
    return (int)syscall(ADD_RULE, rules, RULE_PATH_BENEATH, &rule, 0);
}

int mld_landlock_restrict(int rules) { return (int)syscall(RESTRICT_SELF, rules, 0); }
