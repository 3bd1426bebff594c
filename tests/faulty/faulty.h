/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of system calls (net/calls.h, disk/calls.h) that make the drivers' calls go wrong by
 * chance: as Linux may at any time, or as it does when something is broken or used up.
 *
 * How often each kind of fault happens stands in a block of shared memory, which a test may change
 * while the program runs, and which counts what happened. The same seed draws the same faults for
 * the same sequence of calls.
 */
#ifndef TESTS_FAULTY_FAULTY_H
#define TESTS_FAULTY_FAULTY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "disk/calls.h"
#include "net/calls.h"

enum fault_kind {
    /* Harmless: nobody outside may notice. */
    FAULT_SHORT,       /* less is read, written, received or sent than was asked for */
    FAULT_INTERRUPTED, /* EINTR, for an accept also ECONNABORTED */
    FAULT_AGAIN,       /* EAGAIN although there is something, which epoll then tells of anew */
    FAULT_WAKE,        /* epoll returns too early, with too little, or with what is not so */
    FAULT_SLOW,        /* a sync takes a few milliseconds */

    /* Harmful. */
    FAULT_NO_SPACE,    /* ENOSPC for whatever has no blocks yet */
    FAULT_READ_ERROR,  /* EIO */
    FAULT_WRITE_ERROR, /* EIO, also for changes of folders */
    FAULT_SYNC_ERROR,  /* EIO */
    FAULT_NO_ACCEPT,   /* EMFILE or ENFILE */
    FAULT_NO_OPEN,     /* EMFILE */

    FAULT_HELD, /* a sync of a file does not return before this is 0 */
    FAULT_KINDS,
};

#define FAULTY_KINDS_MAX      16
#define FAULTY_PART_BYTES_MAX 128

/* tests/e2e/faulty.py knows this layout. */
struct faulty_control {
    _Atomic uint32_t per_mille[FAULTY_KINDS_MAX]; /* of the calls that could fail so */
    _Atomic uint64_t happened[FAULTY_KINDS_MAX];
    _Atomic uint64_t draws;
    char part[FAULTY_PART_BYTES_MAX]; /* harmful faults of files: only with this in their path */
};

/* In use from now on; NULL: one of the process's own, as at the start. Borrowed. */
void faulty_use(struct faulty_control *used, uint64_t used_seed);
struct faulty_control *faulty_control(void);

/* True when a fault of this kind has to happen now; it is counted. */
bool faulty_happens(enum fault_kind kind);

/* Any number below `limit` > 0. */
uint64_t faulty_below(uint64_t limit);

/* The first `length` bytes of some pieces. Returns how many pieces that are; `ret_pieces` has room
 * for all. */
int faulty_shorten(const struct iovec *pieces, int count, size_t length, struct iovec *ret_pieces);
size_t faulty_length(const struct iovec *pieces, int count);

/* A broker for tests has them under the names of the broker's own, which are declared already. */
#ifndef faulty_net_calls
extern const struct net_calls faulty_net_calls;
extern const struct disk_calls faulty_disk_calls;
#endif

#endif
