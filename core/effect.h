/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that the core asks of the world.
 *
 * The contract:
 * - An effect with an id completes once, by an EVENT_COMPLETED in a later step, in any order; its
 *   id is never used again. No effect waits for another: what has to come after a completion is
 *   asked for after that completion.
 * - Bytes, pieces and paths that an effect points at stay as they are until it completes; text of
 *   EFFECT_LOG and EFFECT_STOPPED lives until effects_clear().
 * - EFFECT_SYNC covers the writes to that file whose completion was delivered before it was asked
 *   for.
 * - A new, renamed or removed file is durable only once its folder was synced.
 * - EFFECT_CLOSE ends the watch, receive and send of its connection first (ERR_CLOSED).
 * - EFFECT_CLOSE_FILE leaves effects on its file that are under way their own end; none is asked
 *   for after it. Files of an EFFECT_SEND stay open until that completes.
 * - EFFECT_CONNECT ends within seconds, and cannot be taken back: an owner who lost interest closes
 *   the connection when it comes.
 * - Errors: ERR_IO, ERR_NO_SPACE, ERR_NOT_FOUND, ERR_EXISTS, ERR_CLOSED (the peer or we closed the
 *   connection), ERR_REFUSED (the other machine answered that nobody listens there), ERR_LIMIT (the
 *   process has no more file descriptors). A path that leads through
 *   nothing is ERR_NOT_FOUND, one that leads through a file, or to a file where a folder is meant,
 *   or the other way round, ERR_IO.
 * - What failed has not happened, but: a write or send did its first `count` bytes, an open may
 *   have made the file, a removal may have begun, a sync may have reached the device or not.
 *
 * tests/conformance holds every driver to it.
 */
#ifndef CORE_EFFECT_H
#define CORE_EFFECT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/memory.h"
#include "core/base/span.h"

enum effect_kind {
    /* Connections. */
    EFFECT_LISTEN,  /* address: accept connections at `host`:`port`; count: the port in use;
                       ERR_EXISTS when somebody else uses it, ERR_NOT_FOUND without such a host */
    EFFECT_WATCH,   /* connection: complete when there are bytes to receive, or its end; may be
                       mistaken. One at a time */
    EFFECT_RECEIVE, /* receive: what is there now, at most `length`; count 0 with ERR_NONE: nothing,
                       ERR_CLOSED: the peer ended the stream, all bytes before it received */
    EFFECT_SEND,    /* send: all pieces, in order; complete when the last byte was handed over, to
                       a peer that may never see it; count: bytes handed over; ERR_IO when a file
                       has no such bytes; ERR_CLOSED when until_us, on the clock of events, comes
                       before the last byte: none is handed over after it. One at a time */
    EFFECT_CLOSE,   /* connection: nothing is sent or received any more; ERR_CLOSED: nor before */

    /* Files: by a number that the core chose in EFFECT_OPEN and never uses again. */
    EFFECT_OPEN,       /* open: count is the file's size; the number is in use when it is done */
    EFFECT_CLOSE_FILE, /* file: the number ends here */
    EFFECT_READ,       /* read: count falls short only at the file's end */
    EFFECT_WRITE,      /* write: count falls short only with an error; zeros up to its offset */
    EFFECT_SYNC,       /* file: data and size reach the device (fdatasync) */
    EFFECT_TRUNCATE,   /* range: to `offset` bytes, by zeros if that is more */
    EFFECT_RESERVE,    /* range: blocks for it, the visible size unchanged; may be refused */

    /* Folders: paths are relative to data folder number `folder`, without ".." or a leading "/". */
    EFFECT_LIST,        /* path: the folder's entries; an empty path is the data folder itself, in
                           which there may be more than the core made */
    EFFECT_MAKE_FOLDER, /* path: ERR_EXISTS when something is there */
    EFFECT_RENAME,      /* path to path_to, replacing a file by a file, an empty folder by a folder;
                           ERR_EXISTS: there is a folder with something in it */
    EFFECT_REMOVE,      /* path: a file, or a folder with everything in it; open files live on */
    EFFECT_SYNC_FOLDER, /* path: the folder's entries reach the device */

    /* Without id and completion. */
    EFFECT_TIMER,   /* the one deadline; a later one replaces it, TIMER_NEVER takes it back */
    EFFECT_LOG,     /* log: one line for the operator */
    EFFECT_READY,   /* every listener serves: once */
    EFFECT_STOPPED, /* log: the broker ended; nothing follows. `failed` gives the exit code */

    /* A connection again; last, since digests know the numbers of all others. */
    EFFECT_CONNECT, /* connect: to `host`:`port`; count: the connection, as EVENT_ACCEPTED names
                       one. ERR_REFUSED, ERR_NOT_FOUND without such a host, ERR_IO when nothing
                       answers or no way leads there */
};

/* True for the effects of connections: what net/ carries out, and disk/ does not. */
static inline bool effect_is_of_network(enum effect_kind kind)
{
    return kind <= EFFECT_CLOSE || kind == EFFECT_CONNECT;
}

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

enum open_mode {
    OPEN_READ,       /* an existing file, for reading */
    OPEN_EXISTING,   /* an existing file, for reading and writing */
    OPEN_CREATE,     /* created when missing, for reading and writing */
    OPEN_CREATE_NEW, /* ERR_EXISTS when it is there */
};

/* A run of bytes to write or send: in memory, or (sends only) in a file. */
struct piece {
    const uint8_t *data; /* NULL: the range of `file` */
    size_t length;
    uint64_t file;
    uint64_t offset;
};

struct effect {
    enum effect_kind kind;
    uint64_t id;
    union {
        uint64_t connection; /* WATCH, CLOSE */
        uint64_t file;       /* CLOSE_FILE, SYNC */
        uint64_t due_us;     /* TIMER */
        struct {
            uint32_t listener;
            uint16_t port; /* 0: any free one */
            struct span host;
        } listen;
        struct {
            uint16_t port;
            struct span host;
        } connect;
        struct {
            uint64_t connection;
            uint8_t *data;
            size_t length;
        } receive;
        struct {
            uint64_t connection;
            const struct piece *pieces;
            uint32_t pieces_count;
            uint64_t until_us; /* TIMER_NEVER: for ever */
        } send;
        struct {
            uint64_t file;
            enum open_mode mode;
            uint32_t folder;
            struct span path;
        } open;
        struct {
            uint64_t file;
            uint64_t offset;
            uint8_t *data;
            size_t length;
        } read;
        struct {
            uint64_t file;
            uint64_t offset;
            const struct piece *pieces; /* all in memory */
            uint32_t pieces_count;
        } write;
        struct {
            uint64_t file;
            uint64_t offset;
            uint64_t length;
        } range; /* TRUNCATE, RESERVE */
        struct {
            uint32_t folder;
            struct span path;
            struct span path_to;
        } path; /* LIST, MAKE_FOLDER, RENAME, REMOVE, SYNC_FOLDER */
        struct {
            enum log_level level;
            struct span text;
            bool failed;
        } log; /* LOG, STOPPED */
    };
};

/* The effects of the steps since the last effects_clear(), in the order in which they were asked */
struct effects {
    struct memory *memory;
    struct effect *items;
    uint32_t count;
    uint32_t capacity;
    struct arena arena; /* texts */
};

/* Starts an empty list whose memory is counted in `memory`. */
void effects_init(struct effects *effects, struct memory *memory);

/* Adds one effect of a kind, everything else zero; valid until the next effects_add(). */
struct effect *effects_add(struct effects *effects, enum effect_kind kind);

/* Forgets the effects, which the driver has taken over by now. */
void effects_clear(struct effects *effects);

/* Gives all memory back. */
void effects_free(struct effects *effects);

#endif
