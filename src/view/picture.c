/*
 * picture.c - numbers as a picture: where each column of it stands.
 *
 * Room: view.
 */
#include "view/picture.h"

#include <string.h>

#include "util/json.h"

/* The canvas of layout/admin_picture, and where the columns are on it. */
#define LEFT 420
#define RIGHT 3800
#define TOP 120
#define BOTTOM 1560
#define TEXT_HALF 40 /* from the middle of small letters to the line they stand on */
#define NAME_ROOM 480

/* The next of 2, 4, 10, 20, 40, 100 ...: half of each is a whole number too. */
static json_int_t scale_of(json_int_t most)
{
    json_int_t ten = 1;

    while (10 * ten < most) {
        ten *= 10;
    }
    return most <= 2 * ten ? 2 * ten : most <= 4 * ten ? 4 * ten : 10 * ten;
}

static json_int_t number(const json_t *row, const char *name)
{
    return name ? json_integer_value(json_object_get(row, name)) : 0;
}

static json_int_t most_of(const json_t *rows, const char *first, const char *second)
{
    json_int_t most = 0;
    const json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        most = number(row, first) > most ? number(row, first) : most;
        most = number(row, second) > most ? number(row, second) : most;
    }
    return most;
}

static json_int_t height_of(json_int_t value, json_int_t scale)
{
    json_int_t height = value * (BOTTOM - TOP) / scale;

    return value > 0 && height < 8 ? 8 : height; /* little is not nothing */
}

static void add_column(json_t *picture, json_int_t x, json_int_t width,
                       json_int_t height, int outline)
{
    json_t *column = json_object();

    sp_json_set_int(column, "x", x);
    sp_json_set_int(column, "y", BOTTOM - height);
    sp_json_set_int(column, "width", width);
    sp_json_set_int(column, "height", height);
    sp_json_set_bool(column, "outline", outline);
    json_array_append_new(json_object_get(picture, "columns"), column);
}

static void add_name(json_t *picture, json_int_t x, const char *text)
{
    json_t *name = json_object();

    sp_json_set_int(name, "x", x);
    sp_json_set_text(name, "text", text);
    json_array_append_new(json_object_get(picture, "names"), name);
}

static void add_line(json_t *picture, json_int_t value, json_int_t scale)
{
    json_t *line = json_object();
    json_int_t y = BOTTOM - value * (BOTTOM - TOP) / scale;

    sp_json_set_int(line, "y", y);
    sp_json_set_int(line, "text_y", y + TEXT_HALF);
    json_object_set_new(line, "text", json_sprintf("%" JSON_INTEGER_FORMAT, value));
    json_array_append_new(json_object_get(picture, "lines"), line);
}

json_t *sp_picture_columns(apr_pool_t *pool, const json_t *rows, const char *label,
                           const char *first, const char *second)
{
    json_int_t count = (json_int_t)json_array_size(rows);
    json_int_t slot = count ? (RIGHT - LEFT) / count : RIGHT - LEFT;
    json_int_t width = slot * 4 / 5 / (second ? 2 : 1);
    json_int_t every = (NAME_ROOM + slot - 1) / slot;
    json_int_t scale = scale_of(most_of(rows, first, second));
    json_t *picture = sp_json_object(pool);
    const json_t *row;
    size_t i;

    json_object_set_new(picture, "columns", json_array());
    json_object_set_new(picture, "names", json_array());
    json_object_set_new(picture, "lines", json_array());
    add_line(picture, 0, scale);
    add_line(picture, scale / 2, scale);
    add_line(picture, scale, scale);
    json_array_foreach(rows, i, row)
    {
        json_int_t x = LEFT + (json_int_t)i * slot + slot / 10;

        add_column(picture, x, width, height_of(number(row, first), scale), 0);
        if (second) {
            add_column(picture, x + width, width,
                       height_of(number(row, second), scale), 1);
        }
        /* Counted from the end: the last of them is today. */
        if ((count - 1 - (json_int_t)i) % every == 0) {
            add_name(picture, x + slot * 2 / 5, sp_json_text(row, label));
        }
    }
    return picture;
}
