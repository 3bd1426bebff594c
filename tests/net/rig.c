/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/net/rig.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/wire/error.h"

struct faults faults;
struct rig rig;

/* Counts a call. Returns true, with errno, when it fails. */
static bool fails(struct fault *fault, size_t *length)
{
    const int call = fault->calls++;
    if (call < fault->short_calls && length != NULL && *length > (size_t)fault->short_bytes)
        *length = (size_t)fault->short_bytes;
    if (call < fault->short_calls || call >= fault->short_calls + fault->error_calls)
        return false;
    errno = fault->error;
    return true;
}

static int faulty_accept4(int fd, struct sockaddr *ret_peer, socklen_t *ret_length, int flags)
{
    if (fails(&faults.accept4, NULL))
        return -1;
    const int accepted = accept4(fd, ret_peer, ret_length, flags);
    if (accepted >= 0)
        faults.last_accepted = accepted;
    return accepted;
}

static int faulty_close(int fd)
{
    faults.closes++;
    return close(fd);
}

static int faulty_epoll_pwait2(int epoll, struct epoll_event *ret_events, int events_max,
                               const struct timespec *timeout, const sigset_t *mask)
{
    if (fails(&faults.epoll_pwait2, NULL))
        return -1;
    return epoll_pwait2(epoll, ret_events, events_max, timeout, mask);
}

static ssize_t faulty_recv(int fd, void *data, size_t length, int flags)
{
    return fails(&faults.recv, &length) ? -1 : recv(fd, data, length, flags);
}

static ssize_t faulty_sendmsg(int fd, const struct msghdr *message, int flags)
{
    faults.last_flags = flags;
    size_t length = SIZE_MAX;
    if (fails(&faults.sendmsg, &length))
        return -1;
    struct iovec kept[1024];
    size_t total = 0;
    size_t count = 0;
    for (; count < message->msg_iovlen && total < length; count++) {
        kept[count] = message->msg_iov[count];
        if (kept[count].iov_len > length - total)
            kept[count].iov_len = length - total;
        total += kept[count].iov_len;
    }
    if (faults.send_swallows)
        return (ssize_t)total;
    const struct msghdr shortened = {.msg_iov = kept, .msg_iovlen = count};
    return sendmsg(fd, &shortened, flags);
}

static ssize_t faulty_sendfile(int fd, int file, off_t *offset, size_t length)
{
    return fails(&faults.sendfile, &length) ? -1 : sendfile(fd, file, offset, length);
}

static int faulty_socket(int family, int type, int protocol)
{
    return fails(&faults.socket, NULL) ? -1 : socket(family, type, protocol);
}

/* What is interrupted goes on; what fails has not begun. */
static int faulty_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    if (fails(&faults.connect, NULL)) {
        const int error = errno;
        if (error == EINTR)
            (void)connect(fd, address, length);
        errno = error;
        return -1;
    }
    faults.last_connected = fd;
    return connect(fd, address, length);
}

static int faulty_getpeername(int fd, struct sockaddr *ret_address, socklen_t *ret_length)
{
    return getpeername(fd, ret_address, ret_length);
}

static int faulty_bind(int fd, const struct sockaddr *address, socklen_t length)
{
    return bind(fd, address, length);
}

static int faulty_getsockname(int fd, struct sockaddr *ret_address, socklen_t *ret_length)
{
    return getsockname(fd, ret_address, ret_length);
}

static const struct net_calls faulty_calls = {
    .socket = faulty_socket,
    .connect = faulty_connect,
    .getsockopt = getsockopt,
    .getpeername = faulty_getpeername,
    .setsockopt = setsockopt,
    .bind = faulty_bind,
    .listen = listen,
    .getsockname = faulty_getsockname,
    .epoll_create1 = epoll_create1,
    .epoll_ctl = epoll_ctl,
    .epoll_wait = epoll_wait,
    .eventfd = eventfd,
    .read = read,
    .write = write,
    .clock_gettime = clock_gettime,
    .accept4 = faulty_accept4,
    .close = faulty_close,
    .epoll_pwait2 = faulty_epoll_pwait2,
    .recv = faulty_recv,
    .sendmsg = faulty_sendmsg,
    .sendfile = faulty_sendfile,
};

static void on_woken(void *context)
{
    ck_assert_ptr_eq(context, &rig);
    rig.wakings++;
}

static void on_complete(void *context, const struct completion *completion)
{
    ck_assert_ptr_eq(context, &rig);
    ck_assert_uint_lt(rig.completions_count, RIG_EFFECTS_MAX);
    rig.completions[rig.completions_count++] = *completion;
}

static void on_accepted(void *context, uint64_t connection, uint32_t listener, struct span peer)
{
    ck_assert_ptr_eq(context, &rig);
    ck_assert_uint_lt(rig.connections_count, RIG_CONNECTIONS_MAX);
    rig.connections[rig.connections_count++] = connection;
    rig.listener = listener;
    rig.wakings_at_accept = rig.wakings;
    snprintf(rig.peer, sizeof(rig.peer), "%.*s", (int)peer.length, (const char *)peer.data);
}

static int on_file_range(void *context, uint64_t connection, uint64_t file, uint64_t offset,
                         size_t *length)
{
    ck_assert_ptr_eq(context, &rig);
    rig.file_connection = connection;
    rig.file_offset = offset;
    if (rig.file_bytes_max != 0 && *length > rig.file_bytes_max)
        *length = rig.file_bytes_max;
    if (rig.files_late > 0) {
        rig.files_late--;
        return NET_FILE_LATER;
    }
    return file < RIG_FILES_MAX && rig.files[file] != 0 ? rig.files[file] : NET_FILE_NONE;
}

static void on_report(void *context, const char *line)
{
    ck_assert_ptr_eq(context, &rig);
    rig.reports_count++;
    snprintf(rig.report, sizeof(rig.report), "%s", line);
}

void rig_start(void)
{
    struct rlimit descriptors;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &descriptors), 0);
    descriptors.rlim_cur = descriptors.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &descriptors), 0);
    const struct net_options options = {
        .calls = &faulty_calls,
        .send_buffer_bytes = RIG_SEND_BUFFER_BYTES,
        .unread_timeout_ms = RIG_UNREAD_TIMEOUT_MS,
        .woken = on_woken,
        .complete = on_complete,
        .accepted = on_accepted,
        .file_range = on_file_range,
        .report = on_report,
        .context = &rig,
    };
    rig.net = net_new(&options);
    ck_assert_ptr_nonnull(rig.net);
    const struct completion *done = rig_do(listen_effect(3, "127.0.0.1", 0));
    ck_assert_int_eq(done->error, ERR_NONE);
    rig.port = (uint16_t)done->count;
}

void rig_end(void)
{
    net_free(rig.net);
    for (int i = 0; i < RIG_FILES_MAX; i++) {
        if (rig.files[i] != 0)
            close(rig.files[i]);
    }
}

uint64_t rig_ask(struct effect effect)
{
    effect.id = ++rig.effects;
    net_perform(rig.net, &effect);
    return effect.id;
}

const struct completion *rig_completion(uint64_t effect)
{
    for (uint32_t i = rig.completions_count; i > 0; i--) {
        if (rig.completions[i - 1].effect == effect)
            return &rig.completions[i - 1];
    }
    return NULL;
}

const struct completion *rig_await(uint64_t effect)
{
    const struct completion *completion;
    int looks = 0;
    while ((completion = rig_completion(effect)) == NULL) {
        ck_assert_int_lt(looks++, 10000);
        net_wait(rig.net, 1000000);
    }
    return completion;
}

const struct completion *rig_do(struct effect effect)
{
    return rig_await(rig_ask(effect));
}

void rig_look(void)
{
    net_wait(rig.net, 0);
}

int rig_connect_port(uint16_t port)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr = {htonl(INADDR_LOOPBACK)},
    };
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

int rig_connect(uint64_t *ret_connection)
{
    const uint32_t before = rig.connections_count;
    const int fd = rig_connect_port(rig.port);
    while (rig.connections_count == before)
        net_wait(rig.net, 1000000);
    *ret_connection = rig.connections[before];
    return fd;
}

void rig_await_readable(uint64_t connection)
{
    ck_assert_int_eq(rig_do(watch_effect(connection))->error, ERR_NONE);
}

void rig_make_file(uint64_t file, const void *data, size_t length)
{
    FILE *stream = tmpfile();
    ck_assert_ptr_nonnull(stream);
    ck_assert_uint_eq(fwrite(data, 1, length, stream), length);
    ck_assert_int_eq(fflush(stream), 0);
    rig.files[file] = dup(fileno(stream));
    ck_assert_int_gt(rig.files[file], 0);
    fclose(stream);
}

void pattern_fill(uint8_t *data, size_t length, uint8_t first)
{
    for (size_t i = 0; i < length; i++)
        data[i] = (uint8_t)((first + i) % 251);
}

pid_t rig_reader(int fd, size_t length, uint8_t first, int delay_ms)
{
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child != 0)
        return child;
    static uint8_t data[64 * 1024];
    size_t total = 0;
    ssize_t got;
    while (total < length && (got = read(fd, data, sizeof(data))) > 0) {
        for (ssize_t i = 0; i < got; i++) {
            if (data[i] != (first + total + (size_t)i) % 251)
                _exit(1);
        }
        total += (size_t)got;
        usleep((useconds_t)delay_ms * 1000);
    }
    _exit(total == length ? 0 : 2);
}

void rig_reader_end(pid_t reader)
{
    int status;
    ck_assert_int_eq(waitpid(reader, &status, 0), reader);
    ck_assert_int_eq(status, 0);
}
