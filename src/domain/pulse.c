/*
 * pulse.c - an empty pulse is nobody watching.
 *
 * Room: domain.
 */
#include "domain/pulse.h"

#include <stddef.h>

void sp_pulse_beat(const sp_pulse_t *pulse, apr_interval_time_t within)
{
    if (pulse && pulse->beat) {
        pulse->beat(within);
    }
}

void sp_pulse_hold(const sp_pulse_t *pulse, int on)
{
    if (pulse && pulse->hold) {
        pulse->hold(on);
    }
}
