/*
 * process.c - one worker process for each httpd, whatever happens to either.
 *
 * Room: worker.
 * Source: httpd 2.4, server/mpm_unix.c (ap_wait_or_timeout, the monitor hook),
 * apr 1.7, threadproc/unix/proc.c and memory/unix/apr_pools.c (subprocesses);
 * prctl(2), PR_SET_PDEATHSIG.
 *
 * The parent forks the worker in post_config, replaces it from the other-child
 * callback, and looks at its sign of life in the monitor hook. All of that runs in
 * httpd's parent, as root, in a single thread: it allocates little, asks nobody
 * anything and never blocks.
 */
#include <apr_shm.h>
#include <apr_signal.h>
#include <apr_thread_proc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <unistd.h>

#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <ap_listen.h>
#include <ap_mpm.h>
#include <mpm_common.h>

#include "worker/jobs.h"
#include "worker/log.h"
#include "worker/worker.h"
#include "util/clock.h"

APLOG_USE_MODULE(subpay);

/* More starts than this in a minute, and the next one waits: a worker that dies at
 * once must not keep the parent busy, one that is killed is to be back at once. */
#define STARTS_A_MINUTE 10

/* A new process connects to the database first, maybe to one that is away. */
#define START_WITHIN apr_time_from_sec(25)

/* After SIGTERM while a mail is on its way: httpd's parent accepts nobody before the
 * worker has left, and looks for that every 47 ms. */
#define GRACE_MS 40

/* Exit status 15 would stop the whole server and 7 throttle it; these are neither. */
#define EXIT_GOOD 0
#define EXIT_BAD 1

/* Shared with the worker, which writes it; it has no slot in the scoreboard. */
typedef struct life_t {
    volatile apr_time_t due; /* sp_clock_now() of the latest next sign of life */
} life_t;

/* Kept by httpd while this module is unloaded and loaded again. */
typedef struct keeper_t {
    apr_shm_t *shm;
} keeper_t;

/* One worker process, in a pool of its own below pconf. */
typedef struct worker_t {
    apr_pool_t *pool;
    apr_proc_t *proc;
} worker_t;

/* This load of the module. */
static struct here_t {
    apr_pool_t *pconf;
    server_rec *server;
    const sp_settings_t *settings; /* NULL: no worker wanted */
    life_t *life;
    worker_t *worker;
    apr_time_t starts[STARTS_A_MINUTE]; /* the latest ones, a ring */
    int next;
} here;

/* The worker's own, after the fork. */
static pid_t parent;
static volatile sig_atomic_t holding;
static volatile sig_atomic_t told_to_leave;

/* ---- in the worker ---------------------------------------------------------- */

static void beat(apr_interval_time_t within)
{
    here.life->due = sp_clock_now() + within;
}

static void hold(int on)
{
    holding = on;
    if (!on && told_to_leave) {
        _exit(EXIT_GOOD);
    }
}

static int orphaned(void)
{
    return getppid() != parent;
}

static void leave(int signum)
{
    (void)signum;
    _exit(EXIT_GOOD);
}

/* Every step can be repeated, so leaving is dying; only a mail that the server may
 * have taken already gets a moment to be written down, or it would go out twice. */
static void leave_soon(int signum)
{
    const struct itimerval grace = { .it_value = { .tv_usec = GRACE_MS * 1000 } };

    (void)signum;
    if (!holding) {
        _exit(EXIT_GOOD);
    }
    told_to_leave = 1;
    setitimer(ITIMER_REAL, &grace, NULL);
}

/* ^C and a kill of the whole group reach the worker too: the parent decides, by
 * SIGTERM. What it inherited from the parent would swallow that. */
static void listen_to_signals(void)
{
    static const int deaf[] = {
        SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, SIGPIPE
    };
    sigset_t none;
    size_t i;

    for (i = 0; i < sizeof(deaf) / sizeof(deaf[0]); i++) {
        apr_signal(deaf[i], SIG_IGN);
    }
    apr_signal(SIGCHLD, SIG_DFL);
    apr_signal(SIGALRM, leave);
    apr_signal(SIGTERM, leave_soon);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void run(void) __attribute__((noreturn));
static void run(void)
{
    sp_jobs_env_t env = { .settings = here.settings,
                          .pulse = { .beat = beat, .hold = hold },
                          .orphaned = orphaned };
    apr_pool_t *own;

#if AP_HAS_THREAD_LOCAL
    ap_thread_current_after_fork();
#endif
    listen_to_signals();
    ap_fatal_signal_child_setup(here.server);
    apr_pool_create(&own, here.pconf);
    apr_pool_tag(own, SP_WORKER_NAME);
    ap_close_listeners();
    prctl(PR_SET_NAME, SP_WORKER_NAME);
    if (ap_run_drop_privileges(own, here.server)) {
        _exit(EXIT_BAD);
    }
    /* After setuid(), which clears it. KILL, as a worker that hangs ignores TERM. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (orphaned()) {
        _exit(EXIT_GOOD);
    }
    env.log = sp_worker_log(own, here.server);
    sp_jobs_run(own, &env);
    /* Not exit(): what runs at exit belongs to the parent, pools included. */
    _exit(EXIT_GOOD);
}

/* ---- in the parent ---------------------------------------------------------- */

static void start(void);

static int stopping(void)
{
    int state = AP_MPMQ_STOPPING;

    ap_mpm_query(AP_MPMQ_MPM_STATE, &state);
    return state == AP_MPMQ_STOPPING;
}

/* Whether the tenth start before this one is a minute ago. */
static int may_start(void)
{
    apr_time_t oldest = here.starts[here.next];

    return oldest == 0 || sp_clock_now() - oldest > apr_time_from_sec(60);
}

static void bury(worker_t *worker)
{
    here.worker = NULL;
    /* Without this the next death of any other child ends the parent itself. */
    apr_proc_other_child_unregister(worker);
    apr_pool_destroy(worker->pool);
}

/* Called by httpd's main loop; unregistering calls it again, with another reason. */
static void on_child(int reason, void *data, int status)
{
    worker_t *worker = data;

    if (reason == APR_OC_REASON_RESTART) {
        apr_proc_other_child_unregister(worker);
        return;
    }
    if (reason != APR_OC_REASON_DEATH && reason != APR_OC_REASON_LOST) {
        return;
    }
    if (!stopping()) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, here.server,
                     "SP0701: worker %" APR_PID_T_FMT
                     " ended (%s %d); starting another",
                     worker->proc->pid, WIFSIGNALED(status) ? "signal" : "status",
                     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    bury(worker);
    if (!stopping()) {
        start();
    }
}

/* In the parent, with the new process's id. */
static void adopt(apr_pool_t *pool, pid_t pid)
{
    worker_t *worker = apr_pcalloc(pool, sizeof(*worker));

    worker->pool = pool;
    worker->proc = apr_pcalloc(pool, sizeof(*worker->proc));
    worker->proc->pid = pid;
    apr_pool_note_subprocess(pool, worker->proc, APR_KILL_AFTER_TIMEOUT);
    apr_proc_other_child_register(worker->proc, on_child, worker, NULL, pool);
    here.worker = worker;
}

static void note_start(void)
{
    beat(START_WITHIN);
    here.starts[here.next] = sp_clock_now();
    here.next = (here.next + 1) % STARTS_A_MINUTE;
}

static void start(void)
{
    apr_pool_t *pool;
    sigset_t all, before;
    pid_t pid;

    if (!may_start()) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, here.server,
                     "SP0702: the worker started %d times within a minute; the next "
                     "start waits",
                     STARTS_A_MINUTE);
        return;
    }
    note_start();
    apr_pool_create(&pool, here.pconf);
    parent = getpid();
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    pid = fork();
    if (pid == 0) {
        run();
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid < 0) {
        ap_log_error(APLOG_MARK, APLOG_ERR, errno, here.server,
                     "SP0703: cannot start the worker; trying again in seconds");
        apr_pool_destroy(pool);
        return;
    }
    adopt(pool, pid);
}

int sp_worker_monitor(apr_pool_t *pool, server_rec *s)
{
    (void)pool;
    (void)s;
    if (!here.settings || stopping()) {
        return DECLINED;
    }
    if (!here.worker) {
        if (may_start()) {
            start();
        }
    }
    else if (sp_clock_now() > here.life->due) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, here.server,
                     "SP0704: worker %" APR_PID_T_FMT " gives no sign of life; "
                     "replacing it",
                     here.worker->proc->pid);
        kill(here.worker->proc->pid, SIGKILL);
    }
    return OK;
}

/* Does nothing: that it interrupts the main loop's sleep is the point. */
static void wake(int signum)
{
    (void)signum;
}

static apr_status_t stop_waking(void *data)
{
    (void)data;
    apr_signal(SIGCHLD, SIG_DFL);
    return APR_SUCCESS;
}

/* A dead worker is noticed in milliseconds instead of at the end of a second's
 * sleep. Undone with pconf: the code goes away with the module. */
static void notice_at_once(apr_pool_t *pconf)
{
    struct sigaction action = { .sa_handler = wake }; /* no SA_RESTART, on purpose */

    sigemptyset(&action.sa_mask);
    sigaction(SIGCHLD, &action, NULL);
    apr_pool_cleanup_register(pconf, NULL, stop_waking, apr_pool_cleanup_null);
}

void sp_worker_child_init(void)
{
    apr_signal(SIGCHLD, SIG_DFL);
}

/* The shared memory outlives every reload: it belongs to the process pool, with its
 * cleanup in APR, never in this module's code. */
static apr_status_t find_life(server_rec *s)
{
    static const char key[] = SP_WORKER_NAME;
    keeper_t *keeper = ap_retained_data_get(key);
    apr_status_t status = APR_SUCCESS;

    if (!keeper) {
        keeper = ap_retained_data_create(key, sizeof(*keeper));
    }
    if (!keeper->shm) {
        status =
            apr_shm_create(&keeper->shm, sizeof(life_t), NULL, s->process->pool);
        if (status != APR_SUCCESS) {
            keeper->shm = NULL;
            return status;
        }
    }
    here.life = apr_shm_baseaddr_get(keeper->shm);
    return status;
}

int sp_worker_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp,
                          server_rec *s, const sp_settings_t *settings)
{
    apr_status_t status;

    (void)plog;
    (void)ptemp;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG ||
        !settings->worker || !settings->accounts || settings->accounts->nelts == 0) {
        return OK;
    }
    here.pconf = pconf;
    here.server = s;
    status = find_life(s);
    if (status != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, status, s,
                     "SP0705: no shared memory for the worker's sign of life");
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    here.settings = settings;
    notice_at_once(pconf);
    start();
    return OK;
}
