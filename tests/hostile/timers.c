/* timers: 20,000 timers are due in the same tick beside a connection with heartbeats, twenty times over. Prints how late
 * the latest heartbeat's answer was seen, and the CPU time: `late_ms=N fired=N alive=N cpu_ms=X`. */
#include <libws.h>
#include <stdio.h>
#include <time.h>

enum { TIMERS = 20000, ROUNDS = 20, EVERY_MS = 50 };

static unsigned long fired;
static int opened, closed, beats;
static double late_ms, last_ms;

static double now_ms(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static void fire(libws_loop loop, libws_timer timer, void *arg) {
    (void)loop, (void)timer, (void)arg;
    fired++;
}

/* Stands in the same wheel as the heartbeat and beats as often. */
static void beat(libws_loop loop, libws_timer timer, void *arg) {
    double now = now_ms(CLOCK_MONOTONIC);
    (void)timer, (void)arg;
    if (beats && now - last_ms - EVERY_MS > late_ms) late_ms = now - last_ms - EVERY_MS;
    last_ms = now;
    if (++beats > ROUNDS) libws_loop_stop(loop);
}

static void on_open(libws_conn conn, void *user) { (void)conn, (void)user, opened++; }
static void on_close(libws_conn conn, const libws_close_info *info, void *user) { (void)conn, (void)info, (void)user, closed++; }

int main(void) {
    const libws_settings settings = {.struct_size = sizeof settings, .heartbeat_ms = 20, .heartbeat_timeout_ms = 2000};
    const libws_listen_options listening = {.struct_size = sizeof listening, .settings = &settings};
    const libws_connect_options calling = {.struct_size = sizeof calling, .settings = &settings};
    const libws_handlers handlers = {.struct_size = sizeof handlers, .on_open = on_open, .on_close = on_close};
    libws_loop loop;
    libws_listener listener;
    char url[64];
    if (libws_loop_new(NULL, &loop) || libws_listen(loop, "ws://127.0.0.1:0", &handlers, NULL, &listening, &listener)) return 1;
    snprintf(url, sizeof url, "ws://127.0.0.1:%d", (int)libws_listener_port(listener));
    if (libws_connect(loop, url, &handlers, NULL, &calling, NULL)) return 1;
    for (int i = 0; i < TIMERS; i++)
        if (libws_timer_start(loop, EVERY_MS, EVERY_MS, fire, NULL, NULL)) return 1;
    if (libws_timer_start(loop, EVERY_MS, EVERY_MS, beat, NULL, NULL) || libws_loop_run(loop)) return 1;
    printf("late_ms=%.1f fired=%lu alive=%d cpu_ms=%.0f\n", late_ms, fired, opened == 2 && closed == 0,
           now_ms(CLOCK_THREAD_CPUTIME_ID));
    return libws_loop_free(loop) != LIBWS_OK;
}
