// Passing descriptors between processes over a Unix socket: control messages are macros that Swift cannot see.
#ifndef MLD_CLINUX_PASSING_H
#define MLD_CLINUX_PASSING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// The most descriptors of one message.
#define MLD_MOST_PASSED 20

/// A socket of packets (SOCK_SEQPACKET), close-on-exec, connected to the Unix socket at `path`, on which no wait is longer than
/// `seconds`; -1 with errno.
int mld_connect_packets(const char *path, int seconds);

/// Takes a connection, close-on-exec, on which no wait is longer than `seconds`; -1 with errno.
int mld_accept_packets(int listener, int seconds);

/// The same for a connection that is there: 0 is without a limit.
int mld_limit_waits(int connection, int seconds);

/// Sends one packet with these descriptors. 0, or -1 with errno.
int mld_send_packet(int connection, const void *bytes, size_t size, const int *descriptors, int count);

/// Receives one packet of at most `size` bytes, and at most MLD_MOST_PASSED descriptors, close-on-exec, whose number is put into
/// `count`. How many bytes it has (0 at the end of the connection), or -1 with errno: EMSGSIZE for a larger one.
ssize_t mld_receive_packet(int connection, void *bytes, size_t size, int *descriptors, int *count);

/// The uid of the process at the other end, as the kernel knows it; -1 where it does not tell.
int64_t mld_peer_uid(int connection);

/// The process that opened the connection, as the kernel knows it: 0 where it is in no PID namespace that we see, or is not told.
pid_t mld_peer_pid(int connection);

/// Whether that process has ended, so that its number may be another's by now: 1 or 0; 0 also on a kernel that does not tell (before
/// Linux 6.5).
int mld_peer_has_ended(int connection);

/// Tells the service manager that the service has started, as sd_notify(3) does; 0 also where there is none. Here for programs that do
/// without its library.
int mld_notify_ready(void);

#endif
