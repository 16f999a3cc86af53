/*
 * picture.h - numbers as a picture: where each column of it stands.
 *
 * Room: view. Sees APR and Jansson only. Templates draw it as inline SVG
 * (layout/admin_picture), in whole units of a canvas that is 4000 wide.
 */
#ifndef SP_VIEW_PICTURE_H
#define SP_VIEW_PICTURE_H

#include <apr_pools.h>
#include <jansson.h>

/**
 * Columns, one or two side by side for each row.
 *
 * @param rows    array of objects
 * @param label   the member that names a row below its columns; left out where
 *                there is no room
 * @param first   the member that is drawn full
 * @param second  one that is drawn as an outline beside it, or NULL
 * @return {columns: [{x, y, width, height, outline}], names: [{x, text}],
 *         lines: [{y, text_y, text}]}, owned by the pool
 */
json_t *sp_picture_columns(apr_pool_t *pool, const json_t *rows, const char *label,
                           const char *first, const char *second);

#endif
