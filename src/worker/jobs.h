/*
 * jobs.h - what the worker does, and when; free of httpd.
 *
 * Room: worker. process.c owns the process, jobs.c what runs in it.
 */
#ifndef SUBPAY_WORKER_JOBS_H
#define SUBPAY_WORKER_JOBS_H

#include <apr_pools.h>

#include "cfg/settings.h"
#include "domain/pulse.h"

struct sp_log_t;

/* What the process is called; others recognise it by that. */
#define SP_WORKER_NAME "subpay-worker"

typedef struct sp_jobs_env_t {
    const sp_settings_t *settings;
    struct sp_log_t *log;
    sp_pulse_t pulse;
    int (*orphaned)(void); /* whether the parent is gone: then sp_jobs_run returns */
} sp_jobs_env_t;

/**
 * Work until the parent is gone. Crash-safe at every instruction: whatever was
 * begun is found and finished by the next worker.
 *
 * @param pool  the worker's own; each job gets a subpool and destroys it
 */
void sp_jobs_run(apr_pool_t *pool, const sp_jobs_env_t *env);

#endif
