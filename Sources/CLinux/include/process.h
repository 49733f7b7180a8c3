// Starting and signalling processes, where Swift cannot: between clone and exec only async-signal-safe calls are lawful.
#ifndef MLD_CLINUX_PROCESS_H
#define MLD_CLINUX_PROCESS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/wait.h>

/// Where a spawn failed. The child reports the later ones through a pipe that closes when exec succeeds.
enum mld_spawn_stage {
    MLD_SPAWN_STARTED = 0,
    MLD_SPAWN_REQUEST,
    MLD_SPAWN_PIPE,
    MLD_SPAWN_CLONE,
    MLD_SPAWN_CGROUP,
    MLD_SPAWN_SESSION,
    MLD_SPAWN_DESCRIPTORS,
    MLD_SPAWN_DIRECTORY,
    MLD_SPAWN_EXEC,
};

/// The most descriptors a spawned program can be given.
#define MLD_SPAWN_MAX_DESCRIPTORS 16

struct mld_spawn_request {
    const char *path;
    char *const *argv;
    char *const *envp;
    /// The program's working directory; NULL keeps the caller's.
    const char *directory;
    /// The caller's descriptors that become 0, 1, ... of the program; all others are closed.
    const int *descriptors;
    int descriptor_count;
    /// A descriptor of a cgroup v2 directory the program is born in, or -1.
    int cgroup;
    bool new_session;
    /// Start with every signal blocked, so that none is lost before the program has set itself up.
    bool block_signals;
    /// Start with SIGTERM ignored; all other signals have their default action.
    bool ignore_terminate;
};

struct mld_spawned {
    pid_t pid;
    /// Close-on-exec; -1 where the kernel has none.
    int pidfd;
    enum mld_spawn_stage stage;
    int error;
};

/// Starts a program. Returns true when it has been executed; else `stage` and `error` (an errno) say what failed, and
/// no process is left.
bool mld_spawn(const struct mld_spawn_request *request, struct mld_spawned *result);

/// fork(), for a single-threaded program only.
pid_t mld_fork(void);

/// A descriptor (close-on-exec) that becomes readable when the process ends, or -1 with errno.
int mld_pidfd_open(pid_t pid);
int mld_pidfd_send_signal(int pidfd, int signal);
/// Sends a signal with a value to the process of a pidfd. Of a real-time signal each is kept, in the order of sending. 0, or -1
/// with errno.
int mld_pidfd_queue_signal(int pidfd, int signal, int value);

/// The real-time signal whose value says how a supervisor's job is to stand: an `enum mld_job_state`.
int mld_job_state_signal(void);
enum mld_job_state { MLD_JOB_RUNS = 1, MLD_JOB_FROZEN = 2 };

/// Takes a pending one of the blocked `signals`, without waiting: its number, and the value it was queued with (0 if it was
/// sent without); or -1 with errno.
int mld_take_signal(const sigset_t *signals, int *value);

/// 1: got the exclusive lock of the open file; 0: another holds it; -1 with errno.
int mld_try_lock(int fd);

/// An anonymous file, close-on-exec; -1 with errno.
int mld_memory_file(const char *name);

/// A descriptor (close-on-exec) that is readable while one of the signals is pending, or -1 with errno.
int mld_signal_descriptor(const sigset_t *signals);

/// A pipe, both ends close-on-exec. 0, or -1 with errno.
int mld_pipe(int ends[2]);

/// Marks every descriptor from `first` on close-on-exec. 0, or -1 with errno.
int mld_close_on_exec_from(int first);

static inline bool mld_wait_exited(int status) { return WIFEXITED(status); }
static inline int mld_wait_exit_status(int status) { return WEXITSTATUS(status); }
static inline bool mld_wait_signaled(int status) { return WIFSIGNALED(status); }
static inline int mld_wait_signal(int status) { return WTERMSIG(status); }

#endif
