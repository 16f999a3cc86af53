/*
 * text.h - text from outside: is it whole, is it clean, is it an e-mail address.
 *
 * Room: util.
 */
#ifndef SUBPAY_UTIL_TEXT_H
#define SUBPAY_UTIL_TEXT_H

#include <apr_pools.h>
#include <apr_time.h>

/** Whether these bytes are valid UTF-8 (shortest forms, no surrogates). */
int sp_text_is_utf8(const char *text, apr_size_t len);

/** Valid UTF-8 without control characters, line breaks and NUL included: fit for
 * one line of a page, a mail header or a database. */
int sp_text_is_clean(const char *text, apr_size_t len);

/**
 * What is wrong with an e-mail address, fit to show; NULL when mail can go there.
 *
 * ASCII, at most 254 bytes, one @, a name of ordinary characters, a domain with a
 * dot. Whether anybody reads it is for the confirmation mail to find out.
 */
const char *sp_text_email_problem(const char *text);

/** "a...@example.com": enough to recognise one's own, not enough to learn it. */
const char *sp_text_email_mask(apr_pool_t *pool, const char *email);

/** ASCII upper case to lower, nothing else: other foldings merge two people into
 * one (the Kelvin sign, the dotted I). */
char *sp_text_fold(apr_pool_t *pool, const char *text);

/** A copy without white space at both ends. */
char *sp_text_trim(apr_pool_t *pool, const char *text);

/** A copy in which every control character is a space; NULL for NULL. */
const char *sp_text_one_line(apr_pool_t *pool, const char *text);

/** Whether text is a uuid in its usual form, in lower case. NULL is none. */
int sp_text_is_uuid(const char *text);

/** "1 August 2026": no order of day and month to mistake; with the clock, in UTC:
 * "1 August 2026, 12:00 UTC". */
const char *sp_text_date(apr_pool_t *pool, const apr_time_exp_t *day);
const char *sp_text_moment(apr_pool_t *pool, apr_time_t at);

/** "2026-08-01T12:00:00Z". */
const char *sp_text_time(apr_pool_t *pool, apr_time_t at);

#endif
