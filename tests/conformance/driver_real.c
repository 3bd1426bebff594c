/* SPDX-License-Identifier: Apache-2.0 */
/* The real drivers, on a folder of their own and sockets on loopback. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/wire/error.h"
#include "disk/disk.h"
#include "net/net.h"
#include "tests/conformance/driver.h"
#include "tests/faulty/faulty.h"

#define PEERS_MAX          64
#define PATH_BYTES_MAX     256
#define WAIT_US            1000
#define PEER_BUFFER_BYTES  (16 * 1024)
#define DISTURBED_PERMILLE 250

struct real_peer {
    int fd; /* -1: closed */
    bool paused;
    bool ended;
    uint8_t *received;
    size_t received_length;
};

struct real {
    char folder[64];
    struct net *net;
    struct disk *disk;
    struct real_peer peers[PEERS_MAX];
    peer peers_count;
    uint8_t *file; /* the last that was looked at */
};

static void on_woken(void *context)
{
    (void)context;
}

static void on_complete(void *context, const struct completion *completion)
{
    (void)context;
    conformance_completed(completion);
    free((void *)(uintptr_t)completion->entries);
}

static void on_accepted(void *context, uint64_t connection, uint32_t listener, struct span name)
{
    (void)context;
    ck_assert_uint_gt(name.length, 0);
    conformance_accepted(connection, listener);
}

static int on_file_range(void *context, uint64_t connection, uint64_t file, uint64_t offset,
                         size_t *length)
{
    const struct real *real = context;
    const int fd = disk_file_fd(real->disk, file);
    if (fd < 0)
        return NET_FILE_NONE;
    if (disk_is_warm(real->disk, file, offset, *length))
        return fd;
    return disk_warm(real->disk, file, offset, *length, connection) ? NET_FILE_LATER : fd;
}

static void on_warmed(void *context, uint64_t token)
{
    const struct real *real = context;
    net_continue(real->net, token);
}

static void on_report(void *context, const char *line)
{
    (void)context;
    ck_assert_ptr_nonnull(line);
}

static void on_disk(void *context)
{
    const struct real *real = context;
    disk_collect(real->disk);
}

static void *start(void)
{
    static struct real real;
    memset(&real, 0, sizeof(real));
    snprintf(real.folder, sizeof(real.folder), "/tmp/chronik-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(real.folder));
    const struct net_options net_options = {
        .calls = &faulty_net_calls,
        .send_buffer_bytes = -1,
        .woken = on_woken,
        .complete = on_complete,
        .accepted = on_accepted,
        .file_range = on_file_range,
        .report = on_report,
        .context = &real,
    };
    const struct disk_options disk_options = {
        .calls = &faulty_disk_calls,
        .threads_max = 4,
        .complete = on_complete,
        .warmed = on_warmed,
        .report = on_report,
        .context = &real,
    };
    char reason[256];
    real.net = net_new(&net_options);
    real.disk = disk_new(&disk_options);
    ck_assert(real.net != NULL && real.disk != NULL);
    ck_assert_int_eq(disk_add_folder(real.disk, real.folder, reason, sizeof(reason)), 0);
    ck_assert_int_eq(net_add_source(real.net, disk_fd(real.disk), on_disk, &real), 0);
    return &real;
}

static void *start_disturbed(void)
{
    const char *seed = getenv("CHRONIK_FAULTY_SEED");
    faulty_use(NULL, seed == NULL ? 1 : strtoull(seed, NULL, 10));
    void *real = start();
    for (enum fault_kind kind = FAULT_SHORT; kind <= FAULT_SLOW; kind++)
        atomic_store(&faulty_control()->per_mille[kind], DISTURBED_PERMILLE);
    return real;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static void end(void *state)
{
    struct real *real = state;
    net_free(real->net);
    disk_free(real->disk);
    for (peer i = 0; i < real->peers_count; i++) {
        if (real->peers[i].fd >= 0)
            close(real->peers[i].fd);
        free(real->peers[i].received);
    }
    free(real->file);
    ck_assert_int_eq(nftw(real->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void perform(void *state, const struct effect *effect)
{
    const struct real *real = state;
    if (effect_is_of_network(effect->kind))
        net_perform(real->net, effect);
    else
        disk_perform(real->disk, effect);
}

static void peer_read(struct real_peer *from)
{
    uint8_t bytes[PEER_BUFFER_BYTES];
    while (from->fd >= 0 && !from->paused && !from->ended) {
        const ssize_t got = recv(from->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            from->ended = true;
            return;
        }
        from->received = realloc(from->received, from->received_length + (size_t)got);
        ck_assert_ptr_nonnull(from->received);
        memcpy(from->received + from->received_length, bytes, (size_t)got);
        from->received_length += (size_t)got;
    }
}

static void wait(void *state)
{
    struct real *real = state;
    for (peer i = 0; i < real->peers_count; i++)
        peer_read(&real->peers[i]);
    net_wait(real->net, WAIT_US);
}

static peer connect_to(void *state, uint32_t listener, uint16_t port)
{
    (void)listener;
    struct real *real = state;
    ck_assert_uint_lt(real->peers_count, PEERS_MAX);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    /* What does not fit stays with the driver, soon. */
    const int buffer_bytes = PEER_BUFFER_BYTES;
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof(buffer_bytes)), 0);
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr = {htonl(INADDR_LOOPBACK)},
    };
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    real->peers[real->peers_count] = (struct real_peer){.fd = fd};
    return real->peers_count++;
}

static void peer_send(void *state, peer from, struct span bytes)
{
    const struct real *real = state;
    ck_assert_int_eq(send(real->peers[from].fd, bytes.data, bytes.length, MSG_NOSIGNAL),
                     (ssize_t)bytes.length);
}

static void peer_pause(void *state, peer paused, bool pause)
{
    struct real *real = state;
    real->peers[paused].paused = pause;
}

static void peer_close(void *state, peer closed)
{
    struct real *real = state;
    close(real->peers[closed].fd);
    real->peers[closed].fd = -1;
}

static struct span peer_received(void *state, peer by, bool *ret_ended)
{
    struct real *real = state;
    struct real_peer *at = &real->peers[by];
    peer_read(at);
    *ret_ended = at->ended;
    return span_of(at->received, at->received_length);
}

static void whole_path(const struct real *real, const char *path, char ret_path[PATH_BYTES_MAX])
{
    snprintf(ret_path, PATH_BYTES_MAX, "%s/%s", real->folder, path);
}

static struct span file(void *state, const char *path)
{
    struct real *real = state;
    char whole[PATH_BYTES_MAX];
    struct stat status;
    whole_path(real, path, whole);
    const int fd = open(whole, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return SPAN_NULL;
    ck_assert_int_eq(fstat(fd, &status), 0);
    real->file = realloc(real->file, (size_t)status.st_size + 1);
    ck_assert_ptr_nonnull(real->file);
    ck_assert_int_eq(read(fd, real->file, (size_t)status.st_size), status.st_size);
    close(fd);
    return span_of(real->file, (size_t)status.st_size);
}

static void put_file(void *state, const char *path, struct span bytes)
{
    char whole[PATH_BYTES_MAX];
    whole_path(state, path, whole);
    const int fd = open(whole, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes.data, bytes.length), (ssize_t)bytes.length);
    close(fd);
}

static void put_folder(void *state, const char *path)
{
    char whole[PATH_BYTES_MAX];
    whole_path(state, path, whole);
    ck_assert_int_eq(mkdir(whole, 0755), 0);
}

static enum fault_kind fault_for(enum effect_kind kind, int error)
{
    if (error == ERR_NO_SPACE)
        return FAULT_NO_SPACE;
    if (error == ERR_LIMIT)
        return FAULT_NO_OPEN;
    if (kind == EFFECT_READ || kind == EFFECT_LIST)
        return FAULT_READ_ERROR;
    return kind == EFFECT_SYNC || kind == EFFECT_SYNC_FOLDER ? FAULT_SYNC_ERROR : FAULT_WRITE_ERROR;
}

static bool make_fail(void *state, enum effect_kind kind, int error)
{
    (void)state;
    atomic_store(&faulty_control()->per_mille[fault_for(kind, error)], 1000);
    return true;
}

static void mend(void *state)
{
    (void)state;
    for (enum fault_kind kind = FAULT_NO_SPACE; kind <= FAULT_NO_OPEN; kind++)
        atomic_store(&faulty_control()->per_mille[kind], 0);
}

static void hold_syncs(void *state)
{
    (void)state;
    atomic_store(&faulty_control()->per_mille[FAULT_HELD], 1000);
}

static void release_syncs(void *state)
{
    (void)state;
    atomic_store(&faulty_control()->per_mille[FAULT_HELD], 0);
}

#define REAL_WITH(how_to_start)                                                                  \
    {                                                                                            \
        .start = (how_to_start), .end = end, .perform = perform, .wait = wait,                   \
        .connect = connect_to, .send = peer_send, .pause = peer_pause, .close = peer_close,      \
        .received = peer_received, .file = file, .put_file = put_file, .put_folder = put_folder, \
        .make_fail = make_fail, .mend = mend, .hold_syncs = hold_syncs,                          \
        .release_syncs = release_syncs,                                                          \
    }

const struct conformance_driver conformance_real = REAL_WITH(start);
const struct conformance_driver conformance_disturbed = REAL_WITH(start_disturbed);
