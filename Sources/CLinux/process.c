#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

pid_t mld_fork(void) { return fork(); }

int mld_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int mld_pidfd_send_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int mld_pidfd_queue_signal(int pidfd, int signal, int value) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = signal;
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_int = value;
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, &info, 0);
}

int mld_job_state_signal(void) { return SIGRTMIN + 1; }

int mld_take_signal(const sigset_t *signals, int *value) {
    siginfo_t info;
    const struct timespec now = {0, 0};
    int signal = sigtimedwait(signals, &info, &now);
    *value = signal >= 0 && info.si_code == SI_QUEUE ? info.si_value.sival_int : 0;
    return signal;
}

int mld_try_lock(int fd) {
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return 1;
    return errno == EWOULDBLOCK ? 0 : -1;
}

int mld_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

int mld_signal_descriptor(const sigset_t *signals) { return signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK); }

int mld_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }
