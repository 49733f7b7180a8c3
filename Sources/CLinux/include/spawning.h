// What mld and the service that starts jobs for it say to each other; see `Spawner` and `SpawnService`.
#ifndef MLD_CLINUX_SPAWNING_H
#define MLD_CLINUX_SPAWNING_H

#include <stdint.h>

/// A request is one packet of this, with descriptors: a file of NUL-terminated words (the program, its directory or nothing, its
/// arguments, its environment), the cgroup it is born in if there is one, and those that become 0, 1, ... of the program.
struct mld_spawn_order {
    uint32_t version;
    /// How many of the words after the first two are arguments, and how many are the environment.
    uint32_t arguments, variables;
    uint8_t has_cgroup, block_signals;
    /// Tell how it ended, too, in a second answer.
    uint8_t wants_end;
    uint8_t reserved;
};

#define MLD_SPAWN_VERSION 1

/// An order may not be larger.
#define MLD_SPAWN_MOST_BYTES (8 << 20)

struct mld_spawn_answer {
    /// 0 where nothing was started: then `stage` and `error` say why.
    int32_t pid;
    int32_t stage, error;
    /// As waitpid(2) gives it; of the second answer only.
    int32_t status;
    /// Field 22 of /proc/PID/stat: with the pid it names the process for good.
    uint64_t start_time;
};

#endif
