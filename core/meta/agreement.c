/* SPDX-License-Identifier: Apache-2.0 */
#include "core/meta/agreement.h"

#include "core/base/format.h"
#include "core/wire/error.h"

/* What this node's file says; null for a default, which all nodes have in common. */
static struct span wanted(const struct agreement *agreement, enum conf_key key)
{
    const struct conf *conf = agreement->conf;
    return conf->values[key].source == CONF_SOURCE_DEFAULT ? SPAN_NULL : conf_text(conf, key);
}

static bool is_agreed(const struct agreement *agreement, const struct image *image,
                      enum conf_key key)
{
    const struct span want = wanted(agreement, key);
    const struct span have = meta_config(&image->by_file, span_text(conf_key_info(key)->name));
    return span_is_null(want) == span_is_null(have) && span_equal(want, have);
}

static int agreement_prepare(struct meta_proposal *proposal, const struct image *image,
                             struct meta_writer *writer)
{
    struct agreement *agreement = container_of(proposal, struct agreement, proposal);
    int error = ERR_NONE;
    if (!quorum_leads(controller_quorum(agreement->controller)))
        return ERR_NONE; /* it waited, and another node's file counts now */
    for (size_t i = 0; i < CONF_AGREED && error == ERR_NONE; i++) {
        const enum conf_key key = conf_agreed_keys[i];
        if (is_agreed(agreement, image, key))
            continue;
        const struct span value = wanted(agreement, key);
        struct meta_record record = meta_record_of(META_RECORD_CONFIG);
        record.body.config.resource_type = META_RESOURCE_BROKER;
        record.body.config.resource_name = META_BROKERS_BY_FILE;
        record.body.config.name = span_text(conf_key_info(key)->name);
        record.body.config.value = value;
        error = meta_write(writer, &record);
        io_log(agreement->io, LOG_INFO, "the cluster has this node's setting: %s=%.*s",
               conf_key_info(key)->name,
               SPAN_ARGS(span_is_null(value) ? SPAN("(default)") : value));
    }
    return error;
}

static void agreement_done(struct meta_proposal *proposal, int error)
{
    struct agreement *agreement = container_of(proposal, struct agreement, proposal);
    agreement->is_proposing = false;
    /* With an error it is tried anew when something changes. */
    agreement->is_settled = error == ERR_NONE;
}

static void changed(struct controller_watcher *watcher)
{
    struct agreement *agreement = container_of(watcher, struct agreement, watcher);
    if (!quorum_leads(controller_quorum(agreement->controller))) {
        agreement->is_settled = false;
        return;
    }
    if (agreement->is_settled || agreement->is_proposing)
        return;
    agreement->is_proposing = true;
    controller_propose(agreement->controller, &agreement->proposal);
}

void agreement_start(struct agreement *agreement, struct io *io, const struct conf *conf,
                     struct controller *controller)
{
    *agreement = (struct agreement){
        .io = io,
        .conf = conf,
        .controller = controller,
        .watcher.changed = changed,
        .proposal = {.prepare = agreement_prepare, .done = agreement_done},
    };
    controller_watch(controller, &agreement->watcher);
}
