/* Every function with the ids that a callback owns, inside each callback, the log's too, and on a second thread while
 * a background thread runs the loop. misuse.c has the ids that belong to nobody. Whatever is legal may succeed: the
 * point is that every answer is one of the documented ones, that [outside] calls are refused, and that nothing breaks. */
#include "support.h"

#include <pthread.h>

enum { LOOP, LISTENER, CONN, REQUEST, TIMER, KINDS, NOTHING };

static libws_handlers no_handlers = {.struct_size = sizeof no_handlers};
static _Thread_local libws_conn_info some_info = {.struct_size = sizeof some_info};
static _Thread_local int32_t some_int;
static _Thread_local uint64_t some_id;
static _Thread_local size_t some_size;
static _Thread_local char some_text[64];
static void never_posted(libws_loop loop, void *arg) { (void)loop, (void)arg; }
static void never_beat(libws_loop loop, libws_timer timer, void *arg) { (void)loop, (void)timer, (void)arg; }

#define ROW(name, kind, call, bad) static int64_t call_##name(uint64_t id) { (void)id; return call; }
#include "misuse_rows.h"
#undef ROW
#define ROW(name, kind, call, bad) {#name, kind, call_##name},
static const struct row {
    const char *name;
    int kind;
    int64_t (*call)(uint64_t id);
} rows[] = {
#include "misuse_rows.h"
};

static _Atomic uint64_t own[KINDS]; /* the newest of each kind */
static atomic_int places[12], log_lines, closed;
enum { UPGRADE, REQUESTED, OPEN, MESSAGE, PONG, DRAIN, CLOSE, LISTENER_CLOSE, BEAT, POSTED, LOG, THREAD };
static const char *const names[] = {"on_upgrade", "on_request", "on_open", "on_message", "on_pong", "on_drain",
                                    "on_close", "on_listener_close", "a timer", "a post", "the log", "a thread"};

/* These end what the test goes on with: the callbacks call them when their time has come. */
static int ends_something(const char *name) {
    static const char *const list[] = {"libws_loop_free", "libws_loop_run", "libws_loop_stop", "libws_loop_start",
                                       "libws_loop_run_once", "libws_listener_close", "libws_accept", "libws_respond",
                                       "libws_close", "libws_terminate", "libws_timer_stop"};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (strcmp(name, list[i]) == 0) return 1;
    return 0;
}

/* An errno-like answer that the header knows, or a success that fits 32 bits. */
static int is_documented(int64_t result) {
    return result >= 0 || (strcmp(libws_result_name((int32_t)result), "LIBWS_ERR_UNKNOWN") != 0 &&
                           result != LIBWS_ERR_INTERNAL);
}

static void call_all(int place) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t id = rows[i].kind == NOTHING ? 0 : own[rows[i].kind];
        int64_t result;
        if (ends_something(rows[i].name)) continue;
        result = rows[i].call(id);
        if (strcmp(rows[i].name, "libws_listen") == 0 && result == LIBWS_OK)
            CHECK_EQ(libws_listener_close(some_id), LIBWS_OK);
        if (strcmp(rows[i].name, "libws_connect") == 0 && result == LIBWS_OK)
            CHECK(is_documented(libws_terminate(some_id))); /* nobody listens there: it may have ended already */
        if (!is_documented(result)) printf("%s in %s gave %lld\n", rows[i].name, names[place], (long long)result);
        CHECK(is_documented(result));
    }
}

/* Once per place: everything, and what is [outside]. */
static void probe(int place) {
    if (places[place]++) return;
    call_all(place);
    if (place == THREAD) return;
    CHECK_EQ(libws_loop_free(own[LOOP]), LIBWS_ERR_STATE);
    CHECK_EQ(libws_loop_run(own[LOOP]), LIBWS_ERR_STATE);
    CHECK_EQ(libws_loop_run_once(own[LOOP], 0), LIBWS_ERR_STATE);
    CHECK_EQ(libws_loop_start(own[LOOP]), LIBWS_ERR_STATE);
}

/* ---- The callbacks ---- */

static int32_t on_upgrade(libws_request request, void *user) {
    (void)user;
    own[REQUEST] = request;
    probe(UPGRADE);
    return LIBWS_ACCEPT;
}
static void on_request(libws_request request, void *user) {
    (void)user;
    own[REQUEST] = request;
    probe(REQUESTED);
    CHECK_EQ(libws_respond(request, 204, NULL, NULL, 0), LIBWS_OK);
    call_all(REQUESTED); /* with a request that is answered */
}
static void on_open(libws_conn conn, void *user) {
    (void)user;
    own[CONN] = conn;
    probe(OPEN);
    CHECK(libws_send_text(conn, "hello") >= 0);
    CHECK(libws_ping(conn, "?", 1) >= 0);
}
static void on_message(libws_conn conn, const libws_message *message, void *user) {
    (void)message, (void)user;
    own[CONN] = conn;
    probe(MESSAGE);
}
static void on_pong(libws_conn conn, const void *data, size_t len, void *user) {
    static char block[1 << 20];
    (void)data, (void)len, (void)user;
    own[CONN] = conn;
    probe(PONG);
    while (libws_send(conn, LIBWS_BINARY, block, sizeof block) == LIBWS_OK) continue; /* on_drain will come */
}
static void on_drain(libws_conn conn, void *user) {
    (void)user;
    own[CONN] = conn;
    probe(DRAIN);
    libws_close(conn, 1000, NULL);
    call_all(DRAIN); /* with a connection that is closing */
}
static void on_close(libws_conn conn, const libws_close_info *info, void *user) {
    (void)info, (void)user;
    own[CONN] = conn;
    probe(CLOSE);
    closed++;
}
static void on_listener_close(libws_listener listener, void *user) {
    (void)user;
    own[LISTENER] = listener;
    probe(LISTENER_CLOSE);
}
static void on_timer(libws_loop loop, libws_timer timer, void *arg) {
    (void)loop, (void)arg;
    own[TIMER] = timer;
    probe(BEAT);
}
static void on_post(libws_loop loop, void *arg) {
    (void)loop, (void)arg;
    probe(POSTED);
}
static void on_log(int32_t level, const char *message, void *user) {
    CHECK(level >= LIBWS_LOG_ERROR && level <= LIBWS_LOG_DEBUG && message && user == &log_lines);
    log_lines++;
    if (own[LOOP]) probe(LOG);
}

static void *on_thread(void *arg) {
    for (int i = 0; i < 20; i++) call_all(THREAD);
    places[THREAD]++;
    return arg;
}

/* ---- The walk through all of them ---- */

static libws_loop logging_loop(void) {
    const libws_loop_options options = {.struct_size = sizeof options, .log = on_log, .log_user = &log_lines,
                                        .log_level = LIBWS_LOG_DEBUG};
    libws_loop loop = 0;
    CHECK_EQ(libws_loop_new(&options, &loop), LIBWS_OK);
    return loop;
}

/* The loop runs on its own thread from the first call to the last. */
static void walk(void) {
    static const char get[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    static const char rude[] = "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    const libws_handlers handlers = {.struct_size = sizeof handlers, .on_upgrade = on_upgrade,
        .on_request = on_request, .on_open = on_open, .on_message = on_message, .on_pong = on_pong,
        .on_drain = on_drain, .on_close = on_close, .on_listener_close = on_listener_close};
    libws_handlers client = handlers;
    libws_listener listener;
    pthread_t thread;
    int port, plain, refused;
    client.on_upgrade = NULL;
    client.on_request = NULL;
    client.on_listener_close = NULL;
    port = listen_on(own[LOOP], &handlers, NULL, NULL, &listener);
    own[LISTENER] = listener;
    CHECK_EQ(libws_timer_start(own[LOOP], 1, 1, on_timer, NULL, NULL), LIBWS_OK);
    CHECK_EQ(libws_loop_post(own[LOOP], on_post, NULL), LIBWS_OK);
    plain = peer_connect(port);
    refused = peer_connect(port);
    CHECK_EQ(peer_write(plain, get, sizeof get - 1), 0);
    CHECK_EQ(peer_write(refused, rude, sizeof rude - 1), 0);
    connect_to(own[LOOP], port, &client, NULL);
    CHECK_EQ(pthread_create(&thread, NULL, on_thread, NULL), 0);
    CHECK(wait_until(&places[REQUESTED], 1) && wait_until(&closed, 2) && wait_until(&places[LOG], 1));
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(libws_listener_close(listener), LIBWS_OK);
    close(plain);
    close(refused);
    CHECK(wait_until(&places[LISTENER_CLOSE], 1) && wait_until(&places[BEAT], 1) && wait_until(&places[POSTED], 1));
}

int main(void) {
    check_begin(120);
    own[LOOP] = logging_loop();
    CHECK_EQ(libws_loop_start(own[LOOP]), LIBWS_OK);
    walk();
    CHECK_EQ(libws_loop_free(own[LOOP]), LIBWS_OK);
    for (int place = 0; place <= THREAD; place++) {
        if (!places[place]) printf("%s did not come\n", names[place]);
        CHECK(places[place] > 0);
    }
    call_all(THREAD); /* with the ids of a loop that is gone */
    return check_end();
}
