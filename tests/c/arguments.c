/* Live ids and bad arguments: each is refused by name, and nothing of it reaches the wire. */
#include "support.h"

static libws_loop loop;
static libws_conn conn;
static atomic_int opened, requested;
static libws_request plain;

static void on_open(libws_conn id, void *user) {
    (void)user;
    conn = id;
    opened++;
}
static void on_request(libws_request request, void *user) {
    (void)user;
    plain = request;
    requested++;
}
static const libws_handlers handlers = {.struct_size = sizeof handlers, .on_open = on_open, .on_request = on_request};
static const libws_handlers none = {.struct_size = sizeof none};

/* ---- What a connection refuses to send ---- */

static void check_sends(int fd) {
    static const char *const bad_text[] = {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "cut \xe7\xbd"};
    char big[200];
    int first;
    memset(big, 'x', sizeof big);
    CHECK_EQ(libws_send(conn, 0, "x", 1), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_send(conn, 3, "x", 1), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_send(conn, -1, "x", 1), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_send(conn, LIBWS_UNCOMPRESSED, "x", 1), LIBWS_ERR_INVALID); /* a kind it must have */
    CHECK_EQ(libws_send(conn, LIBWS_UNCOMPRESSED | 3, "x", 1), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_send(conn, LIBWS_BINARY | 512, "x", 1), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_send(conn, LIBWS_UNCOMPRESSED | LIBWS_TEXT, "\xff", 1), LIBWS_ERR_UTF8);
    CHECK_EQ(libws_send(conn, LIBWS_BINARY, NULL, 1), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_send(conn, LIBWS_BINARY, NULL, SIZE_MAX), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_send(conn, LIBWS_BINARY, "x", SIZE_MAX), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_send_text(conn, NULL), LIBWS_ERR_INVALID);
    for (size_t i = 0; i < sizeof bad_text / sizeof *bad_text; i++) {
        CHECK_EQ(libws_send_text(conn, bad_text[i]), LIBWS_ERR_UTF8);
        CHECK_EQ(libws_send(conn, LIBWS_TEXT, bad_text[i], strlen(bad_text[i])), LIBWS_ERR_UTF8);
        CHECK_EQ(libws_close(conn, 1000, bad_text[i]), LIBWS_ERR_UTF8);
    }
    CHECK_EQ(libws_ping(conn, big, 126), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_ping(conn, NULL, 1), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_ping(conn, big, SIZE_MAX), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_pause(conn, 2), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_pause(conn, -1), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_publish(loop, "t", 0, 0, "x", 1), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_publish(loop, "t", 0, LIBWS_UNCOMPRESSED, "x", 1), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_publish(loop, "t", 0, LIBWS_UNCOMPRESSED | 3, "x", 1), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_publish(loop, "t", 0, LIBWS_UNCOMPRESSED | LIBWS_TEXT, "\xff", 1), LIBWS_ERR_UTF8);
    CHECK_EQ(libws_publish(loop, "t", 0, LIBWS_TEXT, NULL, 1), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_publish(loop, "t", 0, LIBWS_TEXT, "\xff", 1), LIBWS_ERR_UTF8);
    turn_idle(loop);
    CHECK_EQ(libws_ready_state(conn), LIBWS_OPEN);
    CHECK_EQ(libws_buffered_amount(conn), 0);
    /* The next thing that the peer sees is what was right. */
    CHECK_EQ(libws_send(conn, LIBWS_BINARY, NULL, 0), LIBWS_OK);
    turn_idle(loop);
    CHECK(peer_read(fd, &first, big, sizeof big) == 0 && first == 0x82);
    CHECK_EQ(libws_ping(conn, big, 125), LIBWS_OK);
    turn_idle(loop);
    CHECK(peer_read(fd, &first, big, sizeof big) == 125 && first == 0x89);
}

static void check_close(int fd) {
    static const int32_t bad_codes[] = {1, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535, 65536 + 1000,
                                        -1000, INT32_MAX, INT32_MIN};
    char reason[125], frame[200];
    int first;
    memset(reason, 'r', sizeof reason);
    reason[124] = 0;
    for (size_t i = 0; i < sizeof bad_codes / sizeof *bad_codes; i++)
        CHECK_EQ(libws_close(conn, bad_codes[i], NULL), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_close(conn, 1000, reason), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_close(conn, 0, "an empty Close has no room for a reason"), LIBWS_ERR_INVALID);
    turn_idle(loop);
    CHECK_EQ(libws_ready_state(conn), LIBWS_OPEN);
    reason[123] = 0;
    CHECK_EQ(libws_close(conn, 4999, reason), LIBWS_OK);
    CHECK_EQ(libws_close(conn, 1000, NULL), LIBWS_ERR_STATE);
    CHECK_EQ(libws_send_text(conn, "late"), LIBWS_ERR_STATE);
    CHECK_EQ(libws_ping(conn, NULL, 0), LIBWS_ERR_STATE);
    turn_idle(loop);
    CHECK(peer_read(fd, &first, frame, sizeof frame) == 125 && first == 0x88);
    CHECK(memcmp(frame, "\x13\x87", 2) == 0 && memcmp(frame + 2, reason, 123) == 0);
}

/* ---- Pointers that must not be NULL, names, and buffers ---- */

static void check_pointers(libws_listener listener) {
    libws_conn_info info = {.struct_size = sizeof info};
    char topic[1026], url[64];
    uint64_t id;
    CHECK_EQ(libws_loop_new(NULL, NULL), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_loop_timeout(loop, NULL), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_loop_run_once(loop, -2), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_loop_post(loop, NULL, NULL), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_timer_start(loop, 1, 1, NULL, NULL, &id), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_listen(loop, NULL, &none, NULL, NULL, &id), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_connect(loop, NULL, &none, NULL, NULL, &id), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_listener_url(listener, NULL, 0), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_listener_url(listener, url, 0), LIBWS_ERR_TOO_BIG);
    CHECK_EQ(libws_listener_url(listener, url, 5), LIBWS_ERR_TOO_BIG);
    CHECK(strlen(libws_last_error()) > 0);
    CHECK_EQ(libws_listener_url(listener, url, sizeof url), strlen(url));
    CHECK_EQ(libws_listener_url(listener, url, strlen(url)), LIBWS_ERR_TOO_BIG);
    CHECK_EQ(libws_listener_url(listener, url, strlen(url) + 1), strlen(url));
    CHECK_EQ(libws_info(conn, NULL), LIBWS_ERR_INVALID);
    info.struct_size = 0;
    CHECK_EQ(libws_info(conn, &info), LIBWS_ERR_INVALID);
    info.struct_size = offsetof(libws_conn_info, round_trip_us); /* an older program: no byte behind is written */
    info.round_trip_us = 77;
    CHECK_EQ(libws_info(conn, &info), LIBWS_OK);
    CHECK(info.role == LIBWS_SERVER && info.ready_state == LIBWS_OPEN && info.round_trip_us == 77);
    memset(topic, 't', sizeof topic);
    topic[1025] = 0;
    CHECK_EQ(libws_subscribe(conn, NULL), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_subscribe(conn, ""), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_subscribe(conn, "\xff"), LIBWS_ERR_UTF8);
    CHECK_EQ(libws_subscribe(conn, topic), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_unsubscribe(conn, NULL), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_unsubscribe(conn, "never subscribed"), LIBWS_OK);
    CHECK_EQ(libws_publish(loop, NULL, 0, LIBWS_TEXT, "x", 1), LIBWS_ERR_INVALID);
    topic[1024] = 0;
    CHECK_EQ(libws_subscribe(conn, topic), LIBWS_OK);
    CHECK_EQ(libws_unsubscribe(conn, topic), LIBWS_OK);
}

static void check_urls(void) {
    static const char *const bad[] = {"", "127.0.0.1", "http://127.0.0.1:1", "wss://127.0.0.1:1", "ws://", "ws://:1",
                                      "ws://127.0.0.1:65536", "ws://127.0.0.1:x", "ws://127.0.0.1:-1", "ws://[::1",
                                      "ws://a b:1/", "ws://127.0.0.1:1/\r\nEvil: 1", "ws+unix:", "ws://u:p@h:1/"};
    uint64_t id = 0;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int32_t listens = libws_listen(loop, bad[i], &none, NULL, NULL, &id);
        int32_t connects = libws_connect(loop, bad[i], &none, NULL, NULL, &id);
        if (listens >= 0 || connects >= 0) printf("\"%s\" was taken: %d, %d\n", bad[i], listens, connects);
        CHECK(listens == LIBWS_ERR_ADDRESS || listens == LIBWS_ERR_UNSUPPORTED);
        CHECK(connects == LIBWS_ERR_ADDRESS || connects == LIBWS_ERR_UNSUPPORTED);
    }
    CHECK_EQ(libws_connect(loop, "ws://\xff:1/", &none, NULL, NULL, &id), LIBWS_ERR_UTF8);
    CHECK_EQ(id, 0);
}

/* ---- Structs of other sizes ---- */

#define LISTEN(options) libws_listen(loop, "ws://127.0.0.1:0", &none, NULL, &(options), NULL)
#define CONNECT(options) libws_connect(loop, "ws://127.0.0.1:9/", &none, NULL, &(options), NULL)

static void check_sizes(void) {
    struct { libws_loop_options known; char tail[16]; } newer = {.known.struct_size = sizeof newer};
    struct { libws_handlers known; char tail[16]; } handlers_newer = {.known.struct_size = sizeof handlers_newer};
    libws_handlers empty = {0};
    libws_loop other;
    CHECK_EQ(libws_loop_new(&newer.known, &other), LIBWS_OK); /* longer, but the tail says nothing */
    CHECK_EQ(libws_loop_free(other), LIBWS_OK);
    newer.tail[15] = 1;
    CHECK_EQ(libws_loop_new(&newer.known, &other), LIBWS_ERR_UNSUPPORTED);
    newer.known.struct_size = 0;
    CHECK_EQ(libws_loop_new(&newer.known, &other), LIBWS_ERR_INVALID);
    newer.known.struct_size = sizeof(size_t) - 1;
    CHECK_EQ(libws_loop_new(&newer.known, &other), LIBWS_ERR_INVALID);
    newer.known.struct_size = SIZE_MAX;
    CHECK(libws_loop_new(&newer.known, &other) < 0);
    newer.known.struct_size = sizeof(size_t); /* the oldest program of all */
    CHECK_EQ(libws_loop_new(&newer.known, &other), LIBWS_OK);
    CHECK_EQ(libws_loop_free(other), LIBWS_OK);
    CHECK_EQ(libws_listen(loop, "ws://127.0.0.1:0", &empty, NULL, NULL, NULL), LIBWS_ERR_INVALID);
    handlers_newer.tail[0] = 1;
    CHECK_EQ(libws_listen(loop, "ws://127.0.0.1:0", &handlers_newer.known, NULL, NULL, NULL), LIBWS_ERR_UNSUPPORTED);
}

static void check_options(void) {
    libws_settings settings = {0};
    libws_listen_options listen = {.struct_size = sizeof listen, .settings = &settings};
    libws_connect_options connect = {.struct_size = sizeof connect, .settings = &settings};
    CHECK_EQ(LISTEN(listen), LIBWS_ERR_INVALID); /* struct_size of the settings */
    CHECK_EQ(CONNECT(connect), LIBWS_ERR_INVALID);
    settings.struct_size = sizeof settings;
    settings.flags = 1u << 31;
    CHECK(LISTEN(listen) == LIBWS_ERR_INVALID || LISTEN(listen) == LIBWS_ERR_UNSUPPORTED);
    CHECK(CONNECT(connect) == LIBWS_ERR_INVALID || CONNECT(connect) == LIBWS_ERR_UNSUPPORTED);
    settings.flags = 0;
    settings.low_water = 2;
    settings.high_water = 1;
    CHECK_EQ(LISTEN(listen), LIBWS_ERR_INVALID);
    CHECK_EQ(CONNECT(connect), LIBWS_ERR_INVALID);
    listen.settings = NULL;
    connect.settings = NULL;
    static const char *const bad_headers[] = {"no colon\r\n", "Name: value\r\n\r\nbody", "Name : x\r\n", "A: b\nC: d\r\n",
                                              "A: b\rC: d\r\n", "Upgrade: x\r\n", "Content-Length: 1\r\n",
                                              "Sec-WebSocket-Accept: x\r\n"};
    for (size_t i = 0; i < sizeof bad_headers / sizeof *bad_headers; i++) {
        int32_t listens, connects;
        listen.headers = bad_headers[i];
        connect.headers = bad_headers[i];
        listens = LISTEN(listen);
        connects = CONNECT(connect);
        if (listens != LIBWS_ERR_INVALID || connects != LIBWS_ERR_INVALID)
            printf("headers %d: %d, %d\n", (int)i, listens, connects);
        CHECK(listens == LIBWS_ERR_INVALID && connects == LIBWS_ERR_INVALID);
    }
    listen.headers = connect.headers = NULL;
    listen.protocols = connect.protocols = "with space, \x01";
    CHECK_EQ(LISTEN(listen), LIBWS_ERR_INVALID);
    CHECK_EQ(CONNECT(connect), LIBWS_ERR_INVALID);
    listen.protocols = connect.protocols = "twice, twice";
    CHECK_EQ(CONNECT(connect), LIBWS_ERR_INVALID);
    connect.protocols = NULL;
    connect.origin = "https://a.example\r\nEvil: 1";
    CHECK_EQ(CONNECT(connect), LIBWS_ERR_INVALID);
    listen.protocols = NULL;
    listen.path = "no slash";
    CHECK_EQ(LISTEN(listen), LIBWS_ERR_INVALID);
    listen.path = NULL;
    listen.reuse_port = 2;
    CHECK_EQ(LISTEN(listen), LIBWS_ERR_INVALID);
    listen.reuse_port = 0;
    listen.fd = -1;
    CHECK_EQ(LISTEN(listen), LIBWS_ERR_INVALID);
    listen.fd = 1 << 30;
    CHECK(LISTEN(listen) == LIBWS_ERR_INVALID || LISTEN(listen) == LIBWS_ERR_IO);
    listen.fd = 0;
    listen.static_root = "/nowhere/at/all";
    CHECK_EQ(LISTEN(listen), LIBWS_ERR_IO);
    CHECK(libws_last_os_error() > 0 && strlen(libws_last_error()) > 0);
}

int main(void) {
    static const char get[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    libws_listener listener;
    int fd, port, other;
    check_begin(60);
    loop = new_loop();
    port = listen_on(loop, &handlers, NULL, NULL, &listener);
    fd = open_peer(loop, port);
    CHECK_EQ(opened, 1);
    other = peer_connect(port);
    CHECK_EQ(peer_write(other, get, sizeof get - 1), 0);
    CHECK(turn_until(loop, &requested, 1));

    check_pointers(listener);
    check_urls();
    check_sizes();
    check_options();
    CHECK_EQ(libws_respond(plain, 200, "bad\r\n", NULL, 0), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_respond(plain, 200, NULL, NULL, 3), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_respond(plain, 200, NULL, "x", SIZE_MAX), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_request_peer(plain, NULL, 0), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_respond(plain, 200, "Fine: yes\r\n", NULL, 0), LIBWS_OK);
    check_sends(fd);
    check_close(fd);
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
    close(fd);
    close(other);
    return check_end();
}
