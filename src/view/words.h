/*
 * words.h - puts into another language what a model brings along in English.
 *
 * Room: view. Sees APR and Jansson only.
 *
 * Templates hold nearly all words, but times and a few sentences (what is wrong
 * with a field, "1 year") are written by the code below. A language may bring
 * layout/time.text.mustache and phrases.json for these.
 */
#ifndef SP_VIEW_WORDS_H
#define SP_VIEW_WORDS_H

#include "view/mustache.h"

/**
 * Change the model's times and phrases in place.
 *
 * @param time     draws "text" of every {iso, text} from year, month, day, hour,
 *                 minute, one of m1 to m12, and clock (false for a mere date);
 *                 NULL leaves them
 * @param phrases  English to its translation; NULL leaves them. Only what our
 *                 own code says is looked up, nothing that somebody typed
 */
void sp_words_put(apr_pool_t *pool, json_t *model, const sp_template_t *time,
                  const json_t *phrases);

#endif
