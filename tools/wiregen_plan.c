/* SPDX-License-Identifier: Apache-2.0 */
/* Works out what each struct is in each version, and which versions are the same. */
#include <stdlib.h>
#include <string.h>

#include "tools/wiregen.h"

static struct plan *plans;
static unsigned plans_count;
static unsigned steps_count;

const struct plan *plans_all(void)
{
    return plans;
}

static bool steps_equal(const struct plan *a, const struct plan *b)
{
    for (unsigned i = 0; i < a->steps_count; i++)
        if (a->steps[i].field != b->steps[i].field || a->steps[i].compact != b->steps[i].compact ||
            a->steps[i].nullable != b->steps[i].nullable || a->steps[i].child != b->steps[i].child)
            return false;
    return true;
}

/* The plan that is like `draft` already, or `draft` itself at the end of the list. */
static struct plan *plan_intern(struct plan *draft)
{
    struct plan **place = &plans;

    for (; *place != NULL; place = &(*place)->next)
        if ((*place)->shape == draft->shape && (*place)->flexible == draft->flexible &&
            (*place)->steps_count == draft->steps_count && steps_equal(*place, draft))
            return *place;
    draft->index = plans_count++;
    draft->first = steps_count;
    steps_count += draft->steps_count;
    *place = draft;
    return draft;
}

/* Adds what `field` is in `version`, and its least size if it is always there. */
static void plan_add(struct plan *plan, const struct field *field, int version, bool flexible)
{
    struct step *step = &plan->steps[plan->steps_count++];
    const struct type_info *info = &type_infos[field->type];
    unsigned least = flexible && !field->plain ? info->least_compact : info->least;

    step->field = field;
    step->compact = flexible && !field->plain;
    step->nullable = field->nullable && versions_have(field->null, version);
    if (field->type == TYPE_STRUCT) {
        const struct plan *child = plan_of(field->shape, version, flexible);
        step->child = child->index;
        least = step->nullable ? 1 : child->least;
        if (child->least == 0)
            fail_at(field->file, field->line, "%s is nothing at all in version %d", field->name,
                    version);
    }
    if (field->array)
        least = flexible ? 1 : 4;
    if (field->tag < 0)
        plan->least += least;
    else
        plan->tagged_count++;
}

static int compare_tags(const void *a, const void *b)
{
    const struct step *left = a;
    const struct step *right = b;
    return left->field->tag - right->field->tag;
}

struct plan *plan_of(const struct shape *shape, int version, bool flexible)
{
    struct plan *plan = take(sizeof(*plan));
    size_t fields_count = 1;

    for (const struct field *field = shape->fields; field != NULL; field = field->next)
        fields_count++;
    plan->shape = shape;
    plan->flexible = flexible;
    plan->steps = take(fields_count * sizeof(*plan->steps));
    for (int tagged = 0; tagged <= 1; tagged++)
        for (const struct field *field = shape->fields; field != NULL; field = field->next)
            if (versions_have(field->versions, version) && (field->tag >= 0) == tagged)
                plan_add(plan, field, version, flexible);
    if (plan->tagged_count > 1)
        qsort(plan->steps + (plan->steps_count - plan->tagged_count), plan->tagged_count,
              sizeof(*plan->steps), compare_tags);
    if (flexible)
        plan->least++; /* the number of tagged fields */
    return plan_intern(plan);
}
