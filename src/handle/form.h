/*
 * form.h - what somebody typed, from a form or from JSON.
 *
 * Room: handle. Sees httpd.
 */
#ifndef SUBPAY_HANDLE_FORM_H
#define SUBPAY_HANDLE_FORM_H

#include <apr_tables.h>
#include <httpd.h>

typedef struct sp_form_t {
    request_rec *r;
    apr_table_t *fields;
    const char *problem; /* why the body was refused, fit to show */
} sp_form_t;

/**
 * Read a form or a JSON object, by content type.
 *
 * Each field is one line of valid UTF-8 without control characters; only "message"
 * may have several, which end in LF. White space at its ends is gone; one that is
 * empty is not there. Fields given twice are refused, unknown ones stay unread.
 *
 * @return OK, or the status to answer with, form->problem saying why: 400, 408, 413,
 *         415; or AP_FILTER_ERROR when it has been answered: return that as it is
 */
int sp_form_read(request_rec *r, sp_form_t **form);

/** One field, NULL when it is not there. */
const char *sp_form_get(const sp_form_t *form, const char *name);

/** One value of the address's query, under the same rules; NULL when not there. */
const char *sp_query_get(request_rec *r, const char *name);

#endif
