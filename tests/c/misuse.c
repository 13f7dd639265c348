/* Every function with bad ids: zero, made up, of another kind, dead; outside, on another thread, and inside each
 * callback. misuse_rows.h has the calls. */
#include "support.h"

#include <pthread.h>

enum { LOOP, LISTENER, CONN, REQUEST, TIMER, KINDS, NOTHING };

/* One live and one dead id of every kind. */
static uint64_t live[KINDS], dead[KINDS];

/* What the rows hand over beside the id. */
static libws_handlers no_handlers = {.struct_size = sizeof no_handlers};
static _Thread_local libws_conn_info some_info = {.struct_size = sizeof some_info};
static _Thread_local int32_t some_int;
static _Thread_local uint64_t some_id;
static _Thread_local size_t some_size;
static _Thread_local char some_text[64];
static atomic_int never; /* counts what must not happen */
static void never_posted(libws_loop loop, void *arg) { (void)loop, (void)arg, never++; }
static void never_beat(libws_loop loop, libws_timer timer, void *arg) { (void)loop, (void)timer, (void)arg, never++; }

#define ROW(name, kind, call, bad) static int64_t call_##name(uint64_t id) { (void)id; return call; }
#include "misuse_rows.h"
#undef ROW
#define ROW(name, kind, call, bad) {#name, kind, call_##name, bad},
static const struct row {
    const char *name;
    int kind;
    int64_t (*call)(uint64_t id);
    int64_t bad;
} rows[] = {
#include "misuse_rows.h"
};
enum { ROWS = sizeof rows / sizeof rows[0] };

/* Inside a callback of the loop some functions may say STATE before they look at the id. */
static _Thread_local const char *inside;

static void refuses(const struct row *row, const char *what, uint64_t id) {
    int64_t seen = row->call(id);
    if (seen == row->bad || (inside && seen == LIBWS_ERR_STATE)) {
        check_passed++;
    } else {
        check_failed++;
        printf("%s(%s id %#llx) %s: %lld, not %lld\n", row->name, what, (unsigned long long)id,
               inside ? inside : "outside", (long long)seen, (long long)row->bad);
    }
}

static void all_rows(void) {
    for (const struct row *row = rows; row < rows + ROWS; row++) {
        refuses(row, "zero", 0);
        if (row->kind == NOTHING) continue;
        refuses(row, "made-up", 1);
        refuses(row, "made-up", UINT64_MAX);
        refuses(row, "made-up", 0x123456789abcdef0);
        refuses(row, "dead", dead[row->kind]);
        for (int bit = 0; bit < 64; bit++) {
            uint64_t id = live[row->kind] ^ (uint64_t)1 << bit;
            int exists = 0; /* two ids may differ by one bit: ids that live belong to nobody's test */
            for (int kind = 0; kind < KINDS; kind++) exists |= live[kind] == id;
            if (!exists && bit >= 20) refuses(row, "damaged", id); /* below: the ids of neighbours */
        }
        for (int kind = 0; kind < KINDS; kind++)
            if (kind != row->kind) refuses(row, "foreign", live[kind]);
    }
}

/* ---- Inside the callbacks ---- */

enum place { ON_UPGRADE, ON_REQUEST, ON_OPEN, ON_MESSAGE, ON_PONG, ON_DRAIN, ON_CLOSE, ON_LISTENER_CLOSE, ON_RETRY,
             ON_TIMER, ON_POST, PLACES };
static const char *const names[PLACES] = {"on_upgrade", "on_request", "on_open",           "on_message", "on_pong",
                                          "on_drain",   "on_close",   "on_listener_close", "on_retry",   "a timer",
                                          "a post"};
static atomic_int seen[PLACES];

/* The whole table, and what belongs outside. */
static void probe(enum place place) {
    if (seen[place]++) return;
    inside = names[place];
    all_rows();
    CHECK_EQ(libws_loop_free(live[LOOP]), LIBWS_ERR_STATE);
    CHECK_EQ(libws_loop_run(live[LOOP]), LIBWS_ERR_STATE);
    CHECK_EQ(libws_loop_run_once(live[LOOP], 0), LIBWS_ERR_STATE);
    CHECK_EQ(libws_loop_start(live[LOOP]), LIBWS_ERR_STATE);
    inside = NULL;
}

static int32_t on_upgrade(libws_request request, void *user) {
    (void)request, (void)user;
    probe(ON_UPGRADE);
    return LIBWS_ACCEPT;
}
static void on_request(libws_request request, void *user) {
    (void)user;
    probe(ON_REQUEST);
    CHECK(libws_request_method(request) && libws_request_target(request) && libws_request_header(request, "hOST"));
    CHECK(libws_request_header(request, NULL) == NULL && libws_request_header(request, "") == NULL);
    CHECK(libws_request_body(request, NULL) == NULL && libws_request_body(request, &some_size) != NULL);
    CHECK_EQ(libws_accept(request, NULL, NULL), LIBWS_ERR_STATE);
    CHECK_EQ(libws_respond(request, 199, NULL, NULL, 0), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_respond(request, 600, NULL, NULL, 0), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_respond(request, -200, NULL, NULL, 0), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_respond(request, 200, NULL, NULL, 1), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_respond(request, 200, "Evil: a\r\n\r\nb", "", 0), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_respond(request, 200, NULL, "done", 4), LIBWS_OK);
    CHECK_EQ(libws_respond(request, 200, NULL, "done", 4), LIBWS_ERR_GONE);
}
static void on_open(libws_conn conn, void *user) {
    (void)user;
    probe(ON_OPEN);
    CHECK_EQ(libws_send_text(conn, "hello"), LIBWS_OK);
    CHECK_EQ(libws_ping(conn, "?", 1), LIBWS_OK);
}
static void on_message(libws_conn conn, const libws_message *message, void *user) {
    (void)conn, (void)message, (void)user;
    probe(ON_MESSAGE);
}
static void on_pong(libws_conn conn, const void *data, size_t len, void *user) {
    static char block[1 << 20];
    (void)data, (void)len, (void)user;
    probe(ON_PONG);
    while (libws_send(conn, LIBWS_BINARY, block, sizeof block) == LIBWS_OK) continue; /* on_drain will come */
}
static void on_drain(libws_conn conn, void *user) {
    (void)user;
    probe(ON_DRAIN);
    libws_close(conn, 1000, NULL);
}
static void on_close(libws_conn conn, const libws_close_info *info, void *user) {
    (void)info, (void)user;
    probe(ON_CLOSE);
    CHECK_EQ(libws_send_text(conn, "late"), LIBWS_ERR_STATE);
    CHECK_EQ(libws_close(conn, 1000, NULL), LIBWS_ERR_STATE);
    CHECK_EQ(libws_ready_state(conn), LIBWS_CLOSED);
    dead[CONN] = conn;
}
static void on_listener_close(libws_listener listener, void *user) {
    (void)listener, (void)user;
    probe(ON_LISTENER_CLOSE);
}
static void on_retry(libws_conn conn, const libws_close_info *info, uint32_t after_ms, void *user) {
    (void)info, (void)after_ms, (void)user;
    probe(ON_RETRY);
    CHECK_EQ(libws_ready_state(conn), LIBWS_CONNECTING);
    CHECK_EQ(libws_send_text(conn, "early"), LIBWS_ERR_STATE);
    CHECK_EQ(libws_close(conn, 1000, NULL), LIBWS_OK);
}
static void on_timer(libws_loop loop, libws_timer timer, void *arg) {
    (void)loop, (void)timer, (void)arg;
    probe(ON_TIMER);
}
static void on_post(libws_loop loop, void *arg) {
    (void)loop, (void)arg;
    probe(ON_POST);
}

/* A client that reconnects, and nobody listens on the port any more. */
static void retried(int port) {
    const libws_connect_options options = {.struct_size = sizeof options, .reconnect = 1};
    const libws_handlers handlers = {.struct_size = sizeof handlers, .on_close = on_close, .on_retry = on_retry};
    int closed = seen[ON_CLOSE];
    char url[64];
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/", port);
    CHECK_EQ(libws_connect(live[LOOP], url, &handlers, NULL, &options, NULL), LIBWS_OK);
    CHECK(turn_until(live[LOOP], &seen[ON_RETRY], 1) && turn_until(live[LOOP], &seen[ON_CLOSE], closed + 1));
}

static void inside_callbacks(void) {
    static const char get[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    const libws_handlers handlers = {.struct_size = sizeof handlers, .on_upgrade = on_upgrade,
        .on_request = on_request, .on_open = on_open, .on_message = on_message, .on_pong = on_pong,
        .on_drain = on_drain, .on_close = on_close, .on_listener_close = on_listener_close};
    libws_listener listener;
    libws_timer timer;
    int port = listen_on(live[LOOP], &handlers, NULL, NULL, &listener), fd = peer_connect(port);
    libws_handlers client = handlers;
    client.on_upgrade = NULL;
    client.on_request = NULL;
    client.on_listener_close = NULL;
    CHECK_EQ(peer_write(fd, get, sizeof get - 1), 0);
    CHECK(turn_until(live[LOOP], &seen[ON_REQUEST], 1));
    connect_to(live[LOOP], port, &client, NULL);
    CHECK_EQ(libws_timer_start(live[LOOP], 0, 0, on_timer, NULL, &timer), LIBWS_OK);
    CHECK_EQ(libws_loop_post(live[LOOP], on_post, NULL), LIBWS_OK);
    CHECK(turn_until(live[LOOP], &seen[ON_CLOSE], 2));
    close(fd);
    CHECK_EQ(libws_listener_close(listener), LIBWS_OK);
    CHECK(turn_until(live[LOOP], &seen[ON_LISTENER_CLOSE], 1));
    CHECK(turn_until(live[LOOP], &seen[ON_TIMER], 1) && turn_until(live[LOOP], &seen[ON_PONG], 1));
    retried(port);
    dead[LISTENER] = listener;
    dead[TIMER] = timer;
    for (int place = 0; place < PLACES; place++) CHECK(seen[place] > 0 && "every callback came");
    CHECK_EQ(never, 0);
}

/* ---- On other threads ---- */

static atomic_int thread_done;

static void *on_thread(void *arg) {
    (void)arg;
    all_rows();
    CHECK(libws_request_method(live[REQUEST]) == NULL); /* a live request, but the wrong thread */
    CHECK(libws_request_target(live[REQUEST]) == NULL);
    CHECK(libws_request_header(live[REQUEST], "Host") == NULL);
    CHECK(libws_request_body(live[REQUEST], &some_size) == NULL);
    thread_done = 1;
    return NULL;
}

static void on_another_thread(void) {
    pthread_t thread;
    libws_loop busy = new_loop();
    CHECK_EQ(pthread_create(&thread, NULL, on_thread, NULL), 0);
    CHECK(turn_until(live[LOOP], &thread_done, 1));
    pthread_join(thread, NULL);
    CHECK_EQ(libws_loop_start(busy), LIBWS_OK);
    CHECK_EQ(libws_loop_start(busy), LIBWS_ERR_STATE);
    CHECK_EQ(libws_loop_run(busy), LIBWS_ERR_THREAD);
    CHECK_EQ(libws_loop_run_once(busy, 0), LIBWS_ERR_THREAD);
    CHECK_EQ(libws_loop_fd(busy), LIBWS_ERR_THREAD);
    CHECK_EQ(libws_loop_timeout(busy, &some_int), LIBWS_ERR_THREAD);
    CHECK_EQ(libws_loop_free(busy), LIBWS_OK);
    CHECK_EQ(libws_loop_free(busy), LIBWS_ERR_GONE);
}

/* ---- The live and the dead ---- */

static atomic_int deferred, opened;

static int32_t defer(libws_request request, void *user) {
    (void)user;
    live[REQUEST] = request;
    deferred++;
    return LIBWS_DEFER;
}
static void remember(libws_conn conn, void *user) {
    (void)user;
    live[CONN] = conn;
    opened++;
}
static void beat(libws_loop loop, libws_timer timer, void *arg) { (void)loop, (void)timer, (void)arg; }

/* Makes a loop with one of everything; a raw peer whose upgrade nobody answers keeps a request alive. */
static int make_live(void) {
    const libws_settings patient = {.struct_size = sizeof patient, .handshake_timeout_ms = LIBWS_OFF};
    const libws_listen_options options = {.struct_size = sizeof options, .settings = &patient};
    const libws_handlers deferring = {.struct_size = sizeof deferring, .on_upgrade = defer};
    const libws_handlers opening = {.struct_size = sizeof opening, .on_open = remember};
    int fd, port;
    live[LOOP] = new_loop();
    port = listen_on(live[LOOP], &deferring, NULL, &options, NULL);
    fd = peer_connect(port);
    CHECK_EQ(peer_ask(fd), 0);
    CHECK(turn_until(live[LOOP], &deferred, 1));
    port = listen_on(live[LOOP], &opening, NULL, NULL, &live[LISTENER]);
    connect_to(live[LOOP], port, &no_handlers, NULL);
    CHECK(turn_until(live[LOOP], &opened, 1));
    CHECK_EQ(libws_timer_start(live[LOOP], 3600000, 3600000, beat, NULL, &live[TIMER]), LIBWS_OK);
    return fd;
}

int main(int argc, char **argv) {
    int fd;
    if (argc == 2 && strcmp(argv[1], "names") == 0) { /* for symbols_check.sh */
        for (int i = 0; i < ROWS; i++) puts(rows[i].name);
        return 0;
    }
    check_begin(60);
    fd = make_live();
    all_rows();
    inside_callbacks();
    all_rows(); /* now with ids that really died */
    on_another_thread();
    memcpy(dead, live, sizeof dead);
    CHECK_EQ(libws_loop_free(live[LOOP]), LIBWS_OK);
    close(fd);
    memset(live, 0, sizeof live);
    all_rows(); /* all of a freed loop */
    return check_end();
}
