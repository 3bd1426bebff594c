/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of calls that tests/power/calls.c writes and tests/power/calls.py reads: entries one
 * after the other, each a head in the machine's byte order and what follows it.
 *
 * The order of entries is one total order. A call that changes a file or a folder, and a send, is
 * one entry, and nothing else of the log happens between its begin and its end. A sync is two,
 * since it must not keep others from writing: it covers what stands before the first of them, and
 * has done so from the second on.
 *
 * Of processes that speak to one another each has a log. Entries sorted by `at_ns` are in an order
 * that may have been: it is taken before what the entry tells of is begun, but for CALL_SYNC_END,
 * so that what a process does because of bytes that it received comes after their sending.
 */
#ifndef TESTS_POWER_CALLS_H
#define TESTS_POWER_CALLS_H

#include <stdint.h>

enum call_kind {
    CALL_START = 1,  /* another process: its descriptors are its own */
    CALL_OPEN,       /* fd, value: the flags; path */
    CALL_MAKE,       /* a folder; path */
    CALL_RENAME,     /* path, NUL, path */
    CALL_REMOVE,     /* path */
    CALL_WRITE,      /* fd, value: the offset; the bytes that were written */
    CALL_TRUNCATE,   /* fd, value: the size */
    CALL_CLOSE,      /* fd, a file's or a connection's */
    CALL_SYNC_BEGIN, /* fd */
    CALL_SYNC_END,   /* value: which entry of the log, counted from 0, was its begin */
    CALL_SEND,       /* fd; the bytes that were sent */
    CALL_SEND_FILE,  /* fd, value: how many bytes */
};

/* Calls that failed changed nothing and are not in the log; nor is the reservation of blocks, which
 * shows in no byte and no size. Paths are relative to the root folder. */
struct call_head {
    uint32_t kind;
    int32_t fd;
    int64_t value;
    uint64_t length; /* of the bytes that follow */
    uint64_t at_ns;  /* CLOCK_MONOTONIC */
};

#endif
