/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into a broker: keeps a log (tests/power/calls.h) of what the broker does to files below
 * one folder, and of what it sends.
 *
 *     POWER_ROOT         the folder, absolute; the log is to lie elsewhere
 *     POWER_LOG          the log, which is appended to: it spans the processes of a broker's life
 *     POWER_SYNC_US      a sync takes a time drawn from 0 to this, and does nothing: what a power
 *                        loss would leave is worked out from the log. Not set: a sync syncs.
 *     POWER_KILL_CALLS   the process dies, as by kill -9, after so many entries of the log. It
 *                        does so between two of them, and so the log tells all that was done.
 *     POWER_LOOPBACK     127.0.0.1 is this address instead, so that clusters whose files name the
 *                        same ports run side by side. It counts without a log, too.
 */
#include "tests/power/calls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Descriptors beyond it are nobody's whom we know. */
#define FDS_MAX 65536

/* Out of the way of the broker's own descriptors. */
#define LOG_FD_LEAST 1000

/* A write's or a send's pieces, and the head. */
#define PIECES_MAX 1024

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static char root[PATH_MAX];
static size_t root_length;
static bool known[FDS_MAX]; /* files and folders below the root, and connections */
static uint64_t *entries;   /* in the whole log, shared by the processes that follow one another */
static uint64_t kill_entries; /* 0: lives on */
static uint64_t own_entries;
static uint64_t begun_ns;                                /* when the lock was taken */
static struct in_addr loopback = {.s_addr = INADDR_ANY}; /* not set */
static long sync_us = -1;
static uint64_t sync_draws;

static void fail(const char *what)
{
    fprintf(stderr, "tests/power/calls.c: %s: %s\n", what, strerror(errno));
    abort();
}

static long setting(const char *name, long missing)
{
    const char *text = getenv(name);
    return text == NULL ? missing : strtol(text, NULL, 10);
}

/* Writes one entry; under the lock. */
static void entry(enum call_kind kind, int fd, int64_t value, const struct iovec *pieces, int count,
                  size_t length)
{
    struct call_head head = {
        .kind = kind, .fd = fd, .value = value, .length = length, .at_ns = begun_ns};
    struct iovec all[PIECES_MAX + 1] = {{.iov_base = &head, .iov_len = sizeof(head)}};
    int used = 1;
    size_t left = length;
    for (int i = 0; i < count && left > 0; i++) {
        const size_t taken = pieces[i].iov_len < left ? pieces[i].iov_len : left;
        all[used++] = (struct iovec){.iov_base = pieces[i].iov_base, .iov_len = taken};
        left -= taken;
    }
    if (syscall(SYS_writev, log_fd, all, used) != (long)(sizeof(head) + length))
        fail("the log cannot be written");
    ++*entries;
    if (++own_entries == kill_entries)
        syscall(SYS_kill, getpid(), SIGKILL);
}

static void entry_text(enum call_kind kind, int fd, int64_t value, const char *text, size_t length)
{
    const struct iovec piece = {.iov_base = (void *)(uintptr_t)text, .iov_len = length};
    entry(kind, fd, value, &piece, 1, length);
}

static void locked(void)
{
    struct timespec now;
    pthread_mutex_lock(&lock);
    clock_gettime(CLOCK_MONOTONIC, &now);
    begun_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void unlocked(void)
{
    const int error = errno;
    pthread_mutex_unlock(&lock);
    errno = error;
}

/* The count of entries lies behind the log, in a file of its own: a process takes up where the one
 * before it ended. */
static uint64_t *count_map(const char *log)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s.count", log);
    const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || syscall(SYS_ftruncate, fd, sizeof(uint64_t)) != 0)
        fail(path);
    void *map = mmap(NULL, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        fail(path);
    syscall(SYS_close, fd);
    return map;
}

__attribute__((constructor)) static void begin(void)
{
    const char *log = getenv("POWER_LOG");
    const char *folder = getenv("POWER_ROOT");
    const char *address = getenv("POWER_LOOPBACK");
    if (address != NULL && inet_aton(address, &loopback) == 0)
        fail(address);
    if (log == NULL || folder == NULL)
        return;
    snprintf(root, sizeof(root), "%s/", folder);
    root_length = strlen(root);
    kill_entries = (uint64_t)setting("POWER_KILL_CALLS", 0);
    sync_us = setting("POWER_SYNC_US", -1);
    const int fd =
        (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    log_fd = fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, LOG_FD_LEAST);
    if (log_fd < 0)
        fail(log);
    syscall(SYS_close, fd);
    entries = count_map(log);
    sync_draws = (uint64_t)getpid() ^ *entries;
    locked();
    entry(CALL_START, -1, 0, NULL, 0, 0);
    unlocked();
}

/* The path below the root, or NULL when it is elsewhere. */
static const char *path_of(int folder, const char *path, char out[PATH_MAX])
{
    char link[64];
    if (log_fd < 0)
        return NULL;
    size_t length = 0;
    if (path[0] != '/') {
        if (folder == AT_FDCWD)
            snprintf(link, sizeof(link), "/proc/self/cwd");
        else
            snprintf(link, sizeof(link), "/proc/self/fd/%d", folder);
        const ssize_t got = readlink(link, out, PATH_MAX - 1);
        if (got < 0)
            return NULL;
        length = (size_t)got;
        out[length++] = '/';
    }
    if (length + strlen(path) >= PATH_MAX)
        return NULL;
    memcpy(out + length, path, strlen(path) + 1);
    if (length > 0 && strcmp(path, ".") == 0)
        out[length - 1] = '\0';
    if (strncmp(out, root, root_length) == 0)
        return out + root_length;
    return strncmp(out, root, root_length - 1) == 0 && out[root_length - 1] == '\0' ? "" : NULL;
}

static void know(int fd, bool is_known)
{
    if ((unsigned)fd < FDS_MAX)
        known[(unsigned)fd] = is_known;
}

static bool is_known(int fd)
{
    return log_fd >= 0 && (unsigned)fd < FDS_MAX && known[(unsigned)fd];
}

static int opened(int folder, const char *path, int flags, mode_t mode)
{
    char text[PATH_MAX];
    locked();
    const int fd = (int)syscall(SYS_openat, folder, path, flags, mode);
    const char *below = fd < 0 ? NULL : path_of(folder, path, text);
    know(fd, below != NULL);
    if (below != NULL)
        entry_text(CALL_OPEN, fd, flags, below, strlen(below));
    unlocked();
    return fd;
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return opened(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return opened(folder, path, flags, mode);
}

int close(int fd)
{
    locked();
    const int result = (int)syscall(SYS_close, fd);
    if (is_known(fd))
        entry(CALL_CLOSE, fd, 0, NULL, 0, 0);
    know(fd, false);
    unlocked();
    return result;
}

int mkdirat(int folder, const char *path, mode_t mode)
{
    char text[PATH_MAX];
    locked();
    const int result = (int)syscall(SYS_mkdirat, folder, path, mode);
    const char *below = result != 0 ? NULL : path_of(folder, path, text);
    if (below != NULL)
        entry_text(CALL_MAKE, -1, 0, below, strlen(below));
    unlocked();
    return result;
}

int mkdir(const char *path, mode_t mode)
{
    return mkdirat(AT_FDCWD, path, mode);
}

int renameat(int folder, const char *path, int folder_to, const char *path_to)
{
    char text[PATH_MAX];
    char text_to[PATH_MAX];
    char both[2 * PATH_MAX];
    locked();
    const int result = (int)syscall(SYS_renameat2, folder, path, folder_to, path_to, 0);
    const char *below = result != 0 ? NULL : path_of(folder, path, text);
    const char *below_to = result != 0 ? NULL : path_of(folder_to, path_to, text_to);
    if (below != NULL && below_to != NULL) {
        snprintf(both, sizeof(both), "%s", below);
        const size_t length = strlen(below) + 1;
        snprintf(both + length, sizeof(both) - length, "%s", below_to);
        entry_text(CALL_RENAME, -1, 0, both, length + strlen(below_to));
    }
    unlocked();
    return result;
}

int unlinkat(int folder, const char *path, int flags)
{
    char text[PATH_MAX];
    locked();
    const int result = (int)syscall(SYS_unlinkat, folder, path, flags);
    const char *below = result != 0 ? NULL : path_of(folder, path, text);
    if (below != NULL)
        entry_text(CALL_REMOVE, -1, 0, below, strlen(below));
    unlocked();
    return result;
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset)
{
    locked();
    const ssize_t written = syscall(SYS_pwritev, fd, pieces, count, offset, 0);
    if (written >= 0 && is_known(fd))
        entry(CALL_WRITE, fd, offset, pieces, count, (size_t)written);
    unlocked();
    return written;
}

int ftruncate(int fd, off_t length)
{
    locked();
    const int result = (int)syscall(SYS_ftruncate, fd, length);
    if (result == 0 && is_known(fd))
        entry(CALL_TRUNCATE, fd, length, NULL, 0, 0);
    unlocked();
    return result;
}

/* As long as a device might take, which now and then is long; xorshift64 draws it. Under the
 * lock. */
static struct timespec sync_time(void)
{
    sync_draws ^= sync_draws << 13;
    sync_draws ^= sync_draws >> 7;
    sync_draws ^= sync_draws << 17;
    const uint64_t most_us = (uint64_t)(sync_draws >> 60 == 0 ? sync_us : sync_us / 16);
    return (struct timespec){.tv_nsec = (long)(sync_draws % (most_us + 1)) * 1000};
}

static int synced(long call, int fd)
{
    struct timespec lasts = {0};
    int64_t begun = -1;
    locked();
    if (is_known(fd)) {
        begun = (int64_t)*entries;
        entry(CALL_SYNC_BEGIN, fd, 0, NULL, 0, 0);
    }
    if (sync_us >= 0)
        lasts = sync_time();
    unlocked();
    int result = 0;
    if (sync_us >= 0)
        nanosleep(&lasts, NULL);
    else
        result = (int)syscall(call, fd);
    locked();
    if (result == 0 && begun >= 0)
        entry(CALL_SYNC_END, -1, begun, NULL, 0, 0);
    unlocked();
    return result;
}

int fdatasync(int fd)
{
    return synced(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    return synced(SYS_fsync, fd);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    locked();
    const ssize_t sent = syscall(SYS_sendmsg, fd, message, flags);
    if (sent >= 0 && log_fd >= 0) {
        know(fd, true);
        entry(CALL_SEND, fd, 0, message->msg_iov, (int)message->msg_iovlen, (size_t)sent);
    }
    unlocked();
    return sent;
}

ssize_t sendfile(int fd, int file, off_t *offset, size_t length)
{
    locked();
    const ssize_t sent = syscall(SYS_sendfile, fd, file, offset, length);
    if (sent >= 0 && log_fd >= 0) {
        know(fd, true);
        entry(CALL_SEND_FILE, fd, sent, NULL, 0, 0);
    }
    unlocked();
    return sent;
}

/* Another loopback address for 127.0.0.1. */
static const struct sockaddr *address_of(const struct sockaddr *address, socklen_t length,
                                         struct sockaddr_in *out)
{
    if (loopback.s_addr == INADDR_ANY || address->sa_family != AF_INET || length != sizeof(*out))
        return address;
    memcpy(out, address, sizeof(*out));
    if (out->sin_addr.s_addr == htonl(INADDR_LOOPBACK))
        out->sin_addr = loopback;
    return (const struct sockaddr *)out;
}

int bind(int fd, __CONST_SOCKADDR_ARG address, socklen_t length)
{
    struct sockaddr_in other;
    return (int)syscall(SYS_bind, fd, address_of(address.__sockaddr__, length, &other), length);
}

int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t length)
{
    struct sockaddr_in other;
    return (int)syscall(SYS_connect, fd, address_of(address.__sockaddr__, length, &other), length);
}
