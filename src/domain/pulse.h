/*
 * pulse.h - how long work tells whoever watches it that it is alive.
 *
 * Room: domain. The worker fills this; subpayctl and tests leave it empty.
 */
#ifndef SUBPAY_DOMAIN_PULSE_H
#define SUBPAY_DOMAIN_PULSE_H

#include <apr_time.h>

typedef struct sp_pulse_t {
    /* The next sign of life comes within this time, or the process hangs. */
    void (*beat)(apr_interval_time_t within);
    /* 1 before a step that is awkward to repeat (a mail is with the server and the
     * row does not say so yet), 0 after it: a request to stop waits a moment. */
    void (*hold)(int on);
} sp_pulse_t;

void sp_pulse_beat(const sp_pulse_t *pulse, apr_interval_time_t within);
void sp_pulse_hold(const sp_pulse_t *pulse, int on);

#endif
