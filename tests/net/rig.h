/* SPDX-License-Identifier: Apache-2.0 */
/* A net with one listener on loopback, for tests: plays the core's part and the clients'. */
#ifndef TESTS_NET_RIG_H
#define TESTS_NET_RIG_H

#include "net/net.h"
#include "tests/support/effects.h"

#define RIG_EFFECTS_MAX       20000
#define RIG_CONNECTIONS_MAX   2000
#define RIG_FILES_MAX         8
#define RIG_SEND_BUFFER_BYTES 100000
#define RIG_UNREAD_TIMEOUT_MS 5000 /* more than a reader stands still, under valgrind too */

/* What becomes of one call of the table: first it does less, then it fails, then it works. */
struct fault {
    int short_calls; /* so many do `short_bytes` at most */
    int short_bytes;
    int error_calls; /* then so many fail with `error` */
    int error;       /* errno */
    int calls;       /* counted: all calls since this was set */
};

struct faults {
    struct fault socket;
    struct fault connect;
    struct fault accept4;
    struct fault epoll_pwait2;
    struct fault recv;
    struct fault sendmsg;
    struct fault sendfile;
    bool send_swallows; /* sendmsg takes everything and sends nothing */
    int last_accepted;  /* descriptor */
    int last_connected; /* likewise */
    int last_flags;     /* of sendmsg */
    int closes;
};

extern struct faults faults;

struct rig {
    struct net *net;
    uint16_t port;
    struct completion completions[RIG_EFFECTS_MAX]; /* in their order */
    uint32_t completions_count;
    uint64_t connections[RIG_CONNECTIONS_MAX]; /* accepted, in their order */
    uint32_t connections_count;
    uint32_t listener; /* of the last connection */
    char peer[128];    /* of the last connection */
    uint32_t reports_count;
    char report[512];         /* the last */
    int files[RIG_FILES_MAX]; /* descriptors by number; 0: none */
    int files_late;           /* so many times a file is not at hand */
    size_t file_bytes_max;    /* at hand at a time; 0: all */
    uint64_t file_connection;
    uint64_t file_offset; /* last asked for */
    uint64_t effects;
    uint32_t wakings;
    uint32_t wakings_at_accept; /* when the last connection was told of */
};

extern struct rig rig;

/* The fixture of every test. */
void rig_start(void);
void rig_end(void);

/* Asks for an effect, which gets an id, and returns that. */
uint64_t rig_ask(struct effect effect);

/* The completion of an effect, or NULL so far. */
const struct completion *rig_completion(uint64_t effect);

/* Waits until the effect completed. */
const struct completion *rig_await(uint64_t effect);

/* Both, for the usual case. */
const struct completion *rig_do(struct effect effect);

/* Looks once, without sleeping, at what happened. */
void rig_look(void);

/* A blocking client socket, connected to `port`. */
int rig_connect_port(uint16_t port);

/* The same to the rig's own listener, and the connection that it makes. */
int rig_connect(uint64_t *ret_connection);

/* Waits until a connection has something to receive. */
void rig_await_readable(uint64_t connection);

/* A temporary file with this content, as number `file`. */
void rig_make_file(uint64_t file, const void *data, size_t length);

/* A child process that reads all from `fd`, `delay_ms` between reads of 64 KiB, and exits with 0
 * when that was `length` bytes of the pattern that starts at `first`. */
pid_t rig_reader(int fd, size_t length, uint8_t first, int delay_ms);

/* Waits for such a child. */
void rig_reader_end(pid_t reader);

/* The pattern: byte i is (first + i) % 251. */
void pattern_fill(uint8_t *data, size_t length, uint8_t first);

#endif
