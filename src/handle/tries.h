/*
 * tries.h - how often somebody may knock: by what they name, and from where.
 *
 * Room: handle. Sees httpd.
 *
 * Counted for all processes of this httpd (limit.h), and where SubPayCache is one that
 * nodes share (redis, memcache), for all of them: then exactly in each node, and
 * nearly so over all, because such a cache can only be read and written.
 */
#ifndef SUBPAY_HANDLE_TRIES_H
#define SUBPAY_HANDLE_TRIES_H

#include <httpd.h>

/**
 * Count a try, in windows of 15 minutes.
 *
 * From one place about one address: most. From all places about it: ten times as many,
 * because a stranger must not lock a customer out so easily. From one place about all
 * addresses: six times as many.
 *
 * @param what     "login"
 * @param address  whom it is about; A-Z count as a-z
 * @param most     0: no limit
 * @return seconds to wait, 0: go on
 */
int sp_tries_take(request_rec *r, const char *what, const char *address, int most);

/** Take it back: it was none of the kind that is limited. */
void sp_tries_give(request_rec *r, const char *what, const char *address, int most);

/**
 * Count one of most in each minute, for this address and for the peer, each by itself.
 *
 * A peer on loopback is a proxy of ours and stands for everybody: let mod_remoteip say
 * who is behind it. As sp_tries_take() else.
 */
int sp_tries_minute(request_rec *r, const char *what, const char *address, int most);

/** Count one of most in each minute for the peer, whoever it is. */
int sp_tries_minute_peer(request_rec *r, const char *what, int most);

#endif
