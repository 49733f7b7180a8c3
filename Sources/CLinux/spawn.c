#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#define CLOSE_RANGE_MARK (1U << 2)  // CLOSE_RANGE_CLOEXEC

// The kernel's struct clone_args as of Linux 5.7; older headers lack the last field.
struct clone_request {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

struct failure {
    int stage, error;
};

int mld_close_on_exec_from(int first) {
    if (syscall(SYS_close_range, (unsigned)first, ~0U, CLOSE_RANGE_MARK) == 0) return 0;
    // Before Linux 5.11: one by one.
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
    int end = limit.rlim_cur > 1 << 20 ? 1 << 20 : (int)limit.rlim_cur;
    for (int fd = first; fd < end; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (flags >= 0) fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
    }
    return 0;
}

static void fail(int pipe, int stage) {
    struct failure report = {stage, errno};
    ssize_t written = write(pipe, &report, sizeof report);
    (void)written;
    _exit(127);
}

// Runs in the child: nothing but async-signal-safe calls, no memory but the stack.
static void become_program(const struct mld_spawn_request *request, int report, bool join_cgroup) {
    // The kernel's struct sigaction, all zero: the default action. The C library would keep two signals to itself, and
    // an ignored one is inherited through exec.
    char standard[64];
    memset(standard, 0, sizeof standard);
    for (int number = 1; number < NSIG; number++) syscall(SYS_rt_sigaction, number, standard, NULL, (size_t)8);
    if (request->ignore_terminate) {
        const uintptr_t ignore = 1;  // SIG_IGN, in the first field
        memcpy(standard, &ignore, sizeof ignore);
        syscall(SYS_rt_sigaction, SIGTERM, standard, NULL, (size_t)8);
    }

    if (join_cgroup) {
        int procs = openat(request->cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);
        if (procs < 0 || write(procs, "0", 1) != 1) fail(report, MLD_SPAWN_CGROUP);
        close(procs);
    }
    if (request->new_session && setsid() < 0) fail(report, MLD_SPAWN_SESSION);
    if (request->directory && chdir(request->directory) != 0) fail(report, MLD_SPAWN_DIRECTORY);

    // First everything moves above the wanted numbers, so that no dup2 overwrites a descriptor still needed.
    int count = request->descriptor_count, moved[MLD_SPAWN_MAX_DESCRIPTORS];
    int high = fcntl(report, F_DUPFD_CLOEXEC, count);
    if (high < 0) fail(report, MLD_SPAWN_DESCRIPTORS);
    report = high;
    for (int i = 0; i < count; i++) {
        moved[i] = fcntl(request->descriptors[i], F_DUPFD_CLOEXEC, count);
        if (moved[i] < 0) fail(report, MLD_SPAWN_DESCRIPTORS);
    }
    for (int i = 0; i < count; i++) {
        if (dup2(moved[i], i) < 0) fail(report, MLD_SPAWN_DESCRIPTORS);
    }
    if (mld_close_on_exec_from(count) != 0) fail(report, MLD_SPAWN_DESCRIPTORS);

    sigset_t mask;
    if (request->block_signals) sigfillset(&mask);
    else sigemptyset(&mask);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    execve(request->path, request->argv, request->envp);
    fail(report, MLD_SPAWN_EXEC);
}

// What the child is given.
struct birth {
    const struct mld_spawn_request *request;
    int report;
    bool join_cgroup;
};

static void child(struct birth *birth) { become_program(birth->request, birth->report, birth->join_cgroup); }

// clone3 with a stack of the child's own, on which it calls `child` and does not return. The child shares this process's memory
// until it executes its program, and this thread waits for that: nothing is copied, which for a large process is most of the cost.
// The same way as posix_spawn(3); whether there is one for this processor is what `own_stack` says.
#if defined(__x86_64__)
static const bool own_stack = true;

static long clone_onto_stack(struct clone_request *args, size_t size, struct birth *birth) {
    long result;
    register void (*run)(struct birth *) __asm__("r12") = child;
    register struct birth *given __asm__("r13") = birth;
    __asm__ volatile(
        "syscall\n\t"
        "test %%rax, %%rax\n\t"
        "jnz 1f\n\t"
        "xor %%ebp, %%ebp\n\t"
        "mov %%r13, %%rdi\n\t"
        "call *%%r12\n\t"
        "hlt\n"
        "1:"
        : "=a"(result)
        : "0"((long)SYS_clone3), "D"(args), "S"(size), "r"(run), "r"(given)
        : "rcx", "r11", "memory", "cc");
    return result;
}
#elif defined(__aarch64__)
static const bool own_stack = true;

static long clone_onto_stack(struct clone_request *args, size_t size, struct birth *birth) {
    register long number __asm__("x8") = SYS_clone3;
    register long result __asm__("x0") = (long)args;
    register size_t length __asm__("x1") = size;
    register void (*run)(struct birth *) __asm__("x10") = child;
    register struct birth *given __asm__("x11") = birth;
    __asm__ volatile(
        "svc #0\n\t"
        "cbnz x0, 1f\n\t"
        "mov x29, #0\n\t"
        "mov x0, x11\n\t"
        "blr x10\n\t"
        "brk #0\n"
        "1:"
        : "+r"(result)
        : "r"(number), "r"(length), "r"(run), "r"(given)
        : "memory", "cc");
    return result;
}
#else
static const bool own_stack = false;

static long clone_onto_stack(struct clone_request *args, size_t size, struct birth *birth) { return -ENOSYS; }
#endif

// - Returns: the child's pid, or -1 with errno.
static pid_t clone_sharing_memory(
    const struct mld_spawn_request *request, int report, uint64_t flags, int *pidfd, size_t size
) {
    // Room for a few frames of become_program and the C library's. On this thread's stack, which waits.
    char stack[32 * 1024] __attribute__((aligned(16)));
    struct birth birth = {request, report, false};
    struct clone_request args;
    memset(&args, 0, sizeof args);
    args.flags = flags | CLONE_VM | CLONE_VFORK;
    args.exit_signal = SIGCHLD;
    args.pidfd = (uint64_t)(uintptr_t)pidfd;
    args.stack = (uint64_t)(uintptr_t)stack;
    args.stack_size = sizeof stack;
    if (request->cgroup >= 0) args.cgroup = (uint64_t)request->cgroup;
    long pid = clone_onto_stack(&args, size, &birth);
    if (pid >= 0) return (pid_t)pid;
    errno = (int)-pid;
    return -1;
}

static pid_t start(const struct mld_spawn_request *request, int report, int *pidfd, bool *join_cgroup) {
    struct clone_request args;
    memset(&args, 0, sizeof args);
    args.exit_signal = SIGCHLD;
    args.pidfd = (uint64_t)(uintptr_t)pidfd;
    *join_cgroup = false;
    if (own_stack) {
        bool into_cgroup = request->cgroup >= 0;
        uint64_t flags = CLONE_PIDFD | (into_cgroup ? CLONE_INTO_CGROUP : 0);
        pid_t pid = clone_sharing_memory(request, report, flags, pidfd, into_cgroup ? sizeof args : 64);
        if (pid >= 0) return pid;
        *pidfd = -1;
    }
    if (request->cgroup >= 0) {
        args.flags = CLONE_PIDFD | CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)request->cgroup;
        long pid = syscall(SYS_clone3, &args, sizeof args);
        if (pid >= 0) return (pid_t)pid;
        // An old kernel, a filter, or a hierarchy that refuses: the child moves itself before it executes anything.
        *join_cgroup = true;
        args.cgroup = 0;
    }
    args.flags = CLONE_PIDFD;
    *pidfd = -1;
    long pid = syscall(SYS_clone3, &args, (size_t)64);
    if (pid >= 0) return (pid_t)pid;
    if (errno != ENOSYS && errno != EINVAL && errno != EPERM) return -1;
    *pidfd = -1;
    return fork();
}

bool mld_spawn(const struct mld_spawn_request *request, struct mld_spawned *result) {
    result->pid = -1;
    result->pidfd = -1;
    result->stage = MLD_SPAWN_STARTED;
    result->error = 0;
    if (request->descriptor_count < 0 || request->descriptor_count > MLD_SPAWN_MAX_DESCRIPTORS) {
        result->stage = MLD_SPAWN_REQUEST;
        result->error = EINVAL;
        return false;
    }
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) {
        result->stage = MLD_SPAWN_PIPE;
        result->error = errno;
        return false;
    }

    // No handler of this process may run in the child before they are reset there.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int pidfd = -1;
    bool join_cgroup = false;
    pid_t pid = start(request, report[1], &pidfd, &join_cgroup);
    if (pid == 0) become_program(request, report[1], join_cgroup);
    int clone_error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(report[1]);
    if (pid < 0) {
        close(report[0]);
        result->stage = MLD_SPAWN_CLONE;
        result->error = clone_error;
        return false;
    }

    struct failure failure = {0, 0};
    ssize_t count;
    do count = read(report[0], &failure, sizeof failure);
    while (count < 0 && errno == EINTR);
    close(report[0]);
    if (count != 0) {
        int status;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
        if (pidfd >= 0) close(pidfd);
        result->stage = count == sizeof failure ? (enum mld_spawn_stage)failure.stage : MLD_SPAWN_PIPE;
        result->error = count == sizeof failure ? failure.error : EIO;
        return false;
    }
    result->pid = pid;
    result->pidfd = pidfd >= 0 ? pidfd : mld_pidfd_open(pid);
    return true;
}
