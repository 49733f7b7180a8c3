#define _GNU_SOURCE
#include "passing.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

int mld_limit_waits(int connection, int seconds) {
    struct timeval limit = {.tv_sec = seconds, .tv_usec = 0};
    if (setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0) return -1;
    return setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

static int limited(int connection, int seconds) {
    if (connection < 0 || mld_limit_waits(connection, seconds) == 0) return connection;
    int error = errno;
    close(connection);
    errno = error;
    return -1;
}

int mld_connect_packets(const char *path, int seconds) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    int connection = limited(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), seconds);
    if (connection < 0) return -1;
    int result;
    do result = connect(connection, (struct sockaddr *)&address, sizeof address);
    while (result != 0 && errno == EINTR);
    if (result == 0) return connection;
    int error = errno;
    close(connection);
    errno = error;
    return -1;
}

int mld_accept_packets(int listener, int seconds) { return limited(accept4(listener, NULL, NULL, SOCK_CLOEXEC), seconds); }

int mld_send_packet(int connection, const void *bytes, size_t size, const int *descriptors, int count) {
    if (count < 0 || count > MLD_MOST_PASSED) {
        errno = EINVAL;
        return -1;
    }
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = size};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(MLD_MOST_PASSED * sizeof(int))];
    } control;
    memset(&control, 0, sizeof control);
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (count > 0) {
        message.msg_control = control.room;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(header), descriptors, count * sizeof(int));
    }
    ssize_t sent;
    do sent = sendmsg(connection, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -1 : 0;
}

ssize_t mld_receive_packet(int connection, void *bytes, size_t size, int *descriptors, int *count) {
    *count = 0;
    struct iovec part = {.iov_base = bytes, .iov_len = size};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(MLD_MOST_PASSED * sizeof(int))];
    } control;
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
    ssize_t received;
    do received = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if (received < 0) return -1;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        int found = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        for (int i = 0; i < found; i++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof descriptor);
            if (*count < MLD_MOST_PASSED) descriptors[(*count)++] = descriptor;
            else close(descriptor);
        }
    }
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        for (int i = 0; i < *count; i++) close(descriptors[i]);
        *count = 0;
        errno = EMSGSIZE;
        return -1;
    }
    return received;
}

int64_t mld_peer_uid(int connection) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return -1;
    return peer.uid == (uid_t)-1 ? -1 : (int64_t)peer.uid;
}

pid_t mld_peer_pid(int connection) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return 0;
    return peer.pid;
}

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

int mld_peer_has_ended(int connection) {
    int process = -1;
    socklen_t size = sizeof process;
    // Of one that was waited for already some kernels give no descriptor.
    if (getsockopt(connection, SOL_SOCKET, SO_PEERPIDFD, &process, &size) != 0) return errno != ENOPROTOOPT;
    struct pollfd end = {.fd = process, .events = POLLIN};
    int result = poll(&end, 1, 0);
    close(process);
    return result != 0;
}

int mld_notify_ready(void) {
    const char *path = getenv("NOTIFY_SOCKET");
    if (!path) return 0;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length < 2 || length >= sizeof address.sun_path) {
        errno = EINVAL;
        return -1;
    }
    memcpy(address.sun_path, path, length);
    // One that is in no file system begins with a NUL, which is written as @.
    if (path[0] == '@') address.sun_path[0] = 0;
    int connection = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (connection < 0) return -1;
    static const char ready[] = "READY=1";
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    ssize_t sent = sendto(connection, ready, sizeof ready - 1, MSG_NOSIGNAL, (struct sockaddr *)&address, size);
    int error = errno;
    close(connection);
    errno = error;
    return sent < 0 ? -1 : 0;
}
