/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker: one deterministic state machine. Drivers of the real and of the simulated world call
 * broker_step() and carry out the effects; the broker cannot tell which of them it is.
 */
#ifndef CORE_BROKER_H
#define CORE_BROKER_H

#include "core/base/memory.h"
#include "core/conf/conf.h"
#include "core/effect.h"
#include "core/event.h"
#include "core/records/codec.h"

struct broker;

/* What a broker is made of. Everything is borrowed and outlives the broker. */
struct broker_options {
    struct allocator allocator;
    const struct conf *conf;     /* the node's settings, checked (core/conf/conf.h) */
    const struct codecs *codecs; /* decompression, for records that have to be opened */
};

/* A broker that has seen no event yet. Never NULL. */
struct broker *broker_new(const struct broker_options *options);

/* One step: takes `event` in, appends what is asked of the world to `effects`. */
void broker_step(struct broker *broker, const struct event *event, struct effects *effects);

/* Gives all memory back: only after EFFECT_STOPPED, or when the world ends anyway (a crash). */
void broker_free(struct broker *broker);

/* The broker's counted memory, which the driver's list of effects is counted in too. */
struct memory *broker_memory(struct broker *broker);

#endif
