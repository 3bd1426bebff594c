/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stories about the contract of core/effect.h, told to every driver: what is asked for, and what
 * may come of it. A story begins with a driver started, and ends with every effect completed once.
 */
#ifndef TESTS_CONFORMANCE_CONFORMANCE_H
#define TESTS_CONFORMANCE_CONFORMANCE_H

#include <check.h>

#include "core/wire/error.h"
#include "tests/conformance/driver.h"
#include "tests/support/effects.h"
#include "tests/support/runner.h"

/* A case for each driver, to which `add` adds the stories. */
void conformance_cases(Suite *suite, void (*add)(TCase *tcase));

/* Asks for an effect and returns its id. */
uint64_t ask(struct effect effect);

/* Its completion, or NULL so far; waited for. */
const struct completion *completion_of(uint64_t id);
const struct completion *await(uint64_t id);

/* How many completions came before that of `id`. */
uint32_t order_of(uint64_t id);

/* Asks and waits. */
const struct completion *carry_out(struct effect effect);
int error_of(struct effect effect);

/* Asks and waits; fails unless it is done. Returns the count. */
uint64_t count_of(struct effect effect);

/* Waits long enough for whatever would have happened. */
void settle(void);

/* Opens what has to be there, or is made; returns its number. */
uint64_t open_file(enum open_mode mode, const char *path);

/* A number that was never used. */
uint64_t new_file(void);

/* Writes a text, all of it. */
void write_text(uint64_t file, uint64_t offset, const char *text);

void assert_file(const char *path, struct span bytes);
void assert_text(const char *path, const char *text);
void assert_no_file(const char *path);

/* Byte i of a pattern is (first + i) % 251. */
void fill(uint8_t *data, size_t length, uint8_t first);

/* The driver's other half, with its state. */
void put_file(const char *path, const char *text);
void put_folder(const char *path);
bool make_fail(enum effect_kind kind, int error);
void mend(void);
void hold_syncs(void);
void release_syncs(void);

/* A listener, a client of it, and the connection that this makes. */
uint64_t connect_peer(peer *ret_peer);
void peer_sends(peer from, struct span bytes);
void peer_leaves(peer closed);
void peer_pauses(peer paused, bool pause);

/* The port of the driver's listener, which listens from now on. */
uint16_t listener_port(void);

/* Connects to the listener itself: the end that dialled, and the one that was accepted. */
uint64_t dial_listener(uint64_t *ret_accepted);

/* Waits until a peer has received `length` bytes in all, or the end. */
struct span peer_receives(peer by, size_t length);
void peer_sees_end(peer by);

/* Watches and receives until there is something. Returns its length; 0: the stream ended. */
size_t receive_some(uint64_t connection, void *data, size_t length);

#endif
