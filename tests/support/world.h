/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small world in memory that carries out the effects of a core under test: files and folders of
 * which it knows what a power loss would leave, connections, and time that is moved by hand. The
 * same seed and the same calls give the same run.
 *
 * A process is either a whole broker,
 *
 *     world_boot(world, step, broker, broker_memory(broker));     step() calls broker_step()
 *
 * or a bare struct io, for a module that only asks for effects:
 *
 *     struct io *io = world_boot_io(world);
 *     log_append(log, &append);       ask for anything between turns
 *     world_run(world);               turns, until nothing is under way that can end by itself
 *
 * What it takes from world_allocator() is given back, poisoned, when the process ends by
 * world_kill(), world_power_loss() or world_exit(); then the next one may be booted over the same
 * files.
 *
 * Every effect is carried out at the moment at which its completion is delivered. Those under way
 * when the process ends happened, happened in part, or did not, as the seed says. Bytes that
 * effects point at are hashed when they are asked for and again when they are carried out; a
 * difference aborts, as does a second use of an id or of a file number.
 */
#ifndef TESTS_SUPPORT_WORLD_H
#define TESTS_SUPPORT_WORLD_H

#include "core/effect.h"
#include "core/event.h"
#include "core/io.h"

struct world;

/* In which order the effects under way complete; SHUFFLED also draws how many of them a turn
 * brings. */
enum world_order { WORLD_IN_ORDER, WORLD_REVERSED, WORLD_SHUFFLED };

typedef void world_step(void *core, const struct event *event, struct effects *effects);

struct world *world_new(uint64_t seed);
void world_free(struct world *world);
void world_set_order(struct world *world, enum world_order order);

/* The process. */
struct allocator world_allocator(struct world *world);
void world_boot(struct world *world, world_step *step, void *core, struct memory *memory);
struct io *world_boot_io(struct world *world);
void world_exit(struct world *world);       /* everything under way is carried out first */
void world_kill(struct world *world);       /* kill -9: what is visible stays */
void world_power_loss(struct world *world); /* what no sync covered is kept, lost or torn */

/* One turn: completions, a due timer, EVENT_TURN_END. False when nothing had happened. */
bool world_turn(struct world *world);

/* Turns until nothing happens any more, or until the process is stopped. Aborts after a million. */
void world_run(struct world *world);

/* Asks the process to end (EVENT_STOP). */
void world_stop(struct world *world);

/* Carries out `count` more effects, then none until it is set again: for an end at every effect. */
void world_allow(struct world *world, uint64_t count);
uint64_t world_left(const struct world *world);
bool world_is_used_up(const struct world *world);

/* Time. */
void world_advance_ms(struct world *world,
                      int64_t ms); /* both clocks; timers run when they are due */
void world_advance_wall_ms(struct world *world, int64_t ms); /* the wall clock alone jumps */
/* The process is stopped for so long: time goes by, and nothing happens before the next turn. */
void world_sleep_ms(struct world *world, int64_t ms);
int64_t world_wall_ms(const struct world *world);
uint64_t world_next_timer_us(const struct world *world); /* TIMER_NEVER: an idle process */
uint64_t world_now_us(const struct world *world);

/* What was asked for, carried out or not, since world_boot() or world_reset_counts(). */
uint64_t world_count(const struct world *world, enum effect_kind kind);
void world_reset_counts(struct world *world);
bool world_logged(const struct world *world, const char *part); /* a log line with this in it */
bool world_is_ready(const struct world *world);
bool world_is_stopped(const struct world *world);

/* Disturbances. `part` is text that the file's path holds; NULL: any. */

/* The effects of `kind` after the next `skip` ones fail, `times` of them, with `error`; a write
 * after `bytes` bytes of it were done. */
void world_fail(struct world *world, enum effect_kind kind, const char *part, uint32_t skip,
                uint32_t times, int error, uint64_t bytes);
/* No more effects fail. */
void world_mend(struct world *world);
/* Effects of `kind` stay under way until world_release(). */
void world_hold(struct world *world, enum effect_kind kind, const char *part);
void world_release(struct world *world);
void world_set_capacity(struct world *world,
                        uint64_t bytes); /* of the disk; UINT64_MAX: no limit */

/* Files, as a program beside the process sees them. Paths are relative to data folder 0. */
struct span world_file(const struct world *world, const char *path); /* null when there is none */
void world_put_file(struct world *world, const char *path, struct span bytes); /* durable at once */
void world_put_file_in(struct world *world, uint32_t data_folder, const char *path,
                       struct span bytes); /* the same in another data folder */
/* Bits of a byte that is durable rot. */
void world_flip(struct world *world, uint32_t data_folder, const char *path, size_t at,
                uint8_t bits);
void world_put_folder(struct world *world, const char *path);
void world_remove(struct world *world, const char *path);
void world_remove_in(struct world *world, uint32_t data_folder, const char *path);
/* Bytes of a file that the process has open; NULL when it is shorter. */
const uint8_t *world_bytes(const struct world *world, uint64_t file, uint64_t offset,
                           size_t length);
uint32_t world_open_files(const struct world *world);
/* The index-th name in a folder, in order; NULL past the last one or without such a folder. */
const char *world_name(const struct world *world, const char *path, uint32_t index);

/* Connections, from their client's side. Numbers are never used again. */
uint64_t world_connect(struct world *world, uint32_t listener);
void world_client_send(struct world *world, uint64_t connection, struct span bytes);
void world_client_close(struct world *world, uint64_t connection);
void world_client_pause(struct world *world, uint64_t connection,
                        bool pause);                                         /* it reads nothing */
bool world_client_is_closed(const struct world *world, uint64_t connection); /* by the process */
/* All that was received and not taken yet; world_client_take() drops its first bytes. */
struct span world_client_received(const struct world *world, uint64_t connection);
void world_client_take(struct world *world, uint64_t connection, size_t length);
/* From now on what the process connects to under this name (borrowed) leads to another world's
 * process, whose world outlives this one's last turn. "127.0.0.1" is the process itself. A host
 * whose world is NULL answers nothing. */
void world_add_host(struct world *world, const char *host, struct world *other);
/* Resets the connections that the process made to, or took from, others; it and they are told. */
void world_cut(struct world *world);
/* At most this many bytes complete one EFFECT_RECEIVE; 0: no limit. */
void world_set_receive_max(struct world *world, size_t bytes);

#endif
