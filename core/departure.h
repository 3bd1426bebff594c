/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a broker of a cluster takes its leave before it ends (KIP-631's controlled shutdown): it says
 * so in the metadata, which moves its leaderships to others in one record, and hands the quorum's
 * over, so that nobody has to find out by its silence. It serves all the while.
 *
 *     (none) ──asked to end──▶ TELLING ──committed──▶ HANDING_OVER ──another node leads──▶ OVER
 *                                 │   it does not lead the quorum ─────────────────────────▲
 *                                 └── too late; or no majority is left that could agree ───┘
 */
#ifndef CORE_DEPARTURE_H
#define CORE_DEPARTURE_H

#include <stdbool.h>

struct broker;

/* Asked for the end of a broker that serves: begins to take leave, if there is anybody to take it
 * of. True while that is under way; broker_stop() follows when it is over. */
bool departure_holds(struct broker *broker);

/* Links to others are not what they were: they may be too few to agree on anything. */
void departure_look(struct broker *broker);

/* Gives back what it holds; a no-op when there is nothing. */
void departure_free(struct broker *broker);

#endif
