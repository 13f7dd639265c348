/* Option structs of every size, and option by option what is refused. Each refusal has a sentence. */
#include "support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>

static libws_loop loop;
static const libws_handlers no_handlers = {.struct_size = sizeof no_handlers};

/* ---- Every struct in every size ---- */

static int32_t by_loop(void *options) {
    libws_loop made = 0;
    int32_t result = libws_loop_new(options, &made);
    if (result >= 0) CHECK_EQ(libws_loop_free(made), LIBWS_OK);
    return result;
}

static int32_t listens(const libws_handlers *handlers, const libws_listen_options *options) {
    libws_listener made = 0;
    int32_t result = libws_listen(loop, "ws://127.0.0.1:0", handlers, NULL, options, &made);
    if (result >= 0) CHECK_EQ(libws_listener_close(made), LIBWS_OK);
    CHECK((result >= 0) == (made != 0));
    return result;
}
static int32_t by_listen_handlers(void *handlers) { return listens(handlers, NULL); }
static int32_t by_listen(void *options) { return listens(&no_handlers, options); }
static int32_t by_listen_settings(void *settings) {
    const libws_listen_options options = {.struct_size = sizeof options, .settings = settings};
    return listens(&no_handlers, &options);
}

static int32_t connects(const libws_handlers *handlers, const libws_connect_options *options) {
    libws_conn made = 0;
    int32_t result = libws_connect(loop, "ws://127.0.0.1:9/", handlers, NULL, options, &made);
    if (result >= 0) CHECK_EQ(libws_terminate(made), LIBWS_OK);
    CHECK((result >= 0) == (made != 0));
    return result;
}
static int32_t by_connect_handlers(void *handlers) { return connects(handlers, NULL); }
static int32_t by_connect(void *options) { return connects(&no_handlers, options); }
static int32_t by_connect_settings(void *settings) {
    const libws_connect_options options = {.struct_size = sizeof options, .settings = settings};
    return connects(&no_handlers, &options);
}

static const struct {
    const char *name;
    size_t size;
    int32_t (*call)(void *given);
} structs[] = {
    {"libws_loop_options", sizeof(libws_loop_options), by_loop},
    {"libws_handlers (listen)", sizeof(libws_handlers), by_listen_handlers},
    {"libws_handlers (connect)", sizeof(libws_handlers), by_connect_handlers},
    {"libws_listen_options", sizeof(libws_listen_options), by_listen},
    {"libws_connect_options", sizeof(libws_connect_options), by_connect},
    {"libws_settings (listen)", sizeof(libws_settings), by_listen_settings},
    {"libws_settings (connect)", sizeof(libws_settings), by_connect_settings},
};

/* A struct that says size bytes, all zero but the byte at poison (0: none). The block has just that many bytes, so
 * that a tool for memory errors sees a read behind them. */
static void sized(size_t which, size_t size, size_t poison, int32_t expected) {
    size_t bytes = size < sizeof size ? sizeof size : size > 8192 ? sizeof size : size;
    char *block = calloc(1, bytes);
    int32_t result;
    if (!block) abort();
    memcpy(block, &size, sizeof size);
    if (poison) block[poison] = 1;
    result = structs[which].call(block);
    if (result != expected) printf("%s, %zu bytes, poison at %zu:\n", structs[which].name, size, poison);
    CHECK_EQ(result, expected);
    CHECK(result >= 0 || strlen(libws_last_error()) > 0);
    free(block);
}

static void every_size(void) {
    for (size_t i = 0; i < sizeof structs / sizeof *structs; i++) {
        size_t known = structs[i].size;
        for (size_t size = 0; size < sizeof(size_t); size++) sized(i, size, 0, LIBWS_ERR_INVALID);
        for (size_t size = sizeof(size_t); size <= known + 16; size++) sized(i, size, 0, LIBWS_OK);
        sized(i, 4096, 0, LIBWS_OK);
        sized(i, 5000, 0, LIBWS_ERR_INVALID);
        sized(i, SIZE_MAX, 0, LIBWS_ERR_INVALID);
        sized(i, known + 1, known, LIBWS_ERR_UNSUPPORTED);
        sized(i, known + 16, known, LIBWS_ERR_UNSUPPORTED);
        sized(i, 4096, 4095, LIBWS_ERR_UNSUPPORTED);
        turn_idle(loop); /* the connections that were ended */
    }
    CHECK_EQ(listens(NULL, NULL), LIBWS_ERR_INVALID); /* every handler may be NULL, their table may not */
    CHECK_EQ(connects(NULL, NULL), LIBWS_ERR_INVALID);
}

/* ---- Option by option ---- */

/* Both roles; refused with a sentence. */
#define REFUSED(call, expected)                                  \
    do {                                                         \
        CHECK_EQ(call, expected);                                \
        CHECK(strlen(libws_last_error()) > 0);                   \
    } while (0)

static void bad_settings(void) {
    static const libws_settings bad[] = {
        {.struct_size = sizeof bad[0], .flags = 32},
        {.struct_size = sizeof bad[0], .flags = LIBWS_DEFLATE_TAKEOVER}, /* and the others without LIBWS_DEFLATE */
        {.struct_size = sizeof bad[0], .flags = LIBWS_DEFLATE_PEER_TAKEOVER},
        {.struct_size = sizeof bad[0], .deflate_level = 6},
        {.struct_size = sizeof bad[0], .deflate_min_bytes = 1},
        {.struct_size = sizeof bad[0], .deflate_window_bits = 15},
        {.struct_size = sizeof bad[0], .deflate_peer_window_bits = 15},
        {.struct_size = sizeof bad[0], .flags = LIBWS_DEFLATE, .deflate_level = 10},
        {.struct_size = sizeof bad[0], .flags = LIBWS_DEFLATE, .deflate_level = LIBWS_OFF},
        {.struct_size = sizeof bad[0], .flags = LIBWS_DEFLATE, .deflate_window_bits = 8},
        {.struct_size = sizeof bad[0], .flags = LIBWS_DEFLATE, .deflate_window_bits = 16},
        {.struct_size = sizeof bad[0], .flags = LIBWS_DEFLATE, .deflate_window_bits = 256 + 15}, /* not cut to a byte */
        {.struct_size = sizeof bad[0], .flags = LIBWS_DEFLATE, .deflate_peer_window_bits = 8},
        {.struct_size = sizeof bad[0], .flags = LIBWS_DEFLATE, .deflate_peer_window_bits = 16},
        {.struct_size = sizeof bad[0], .flags = LIBWS_DEFLATE, .deflate_peer_window_bits = 1u << 31},
        {.struct_size = sizeof bad[0], .flags = UINT32_MAX},
        {.struct_size = sizeof bad[0], .high_water = 2, .max_buffered = 1},
        {.struct_size = sizeof bad[0], .low_water = 3, .high_water = 2},
        {.struct_size = sizeof bad[0], .max_buffered = 1000}, /* below the default of high_water */
    };
    static const libws_settings good[] = {
        {.struct_size = sizeof good[0], .flags = LIBWS_KEEP_READING | LIBWS_PUBLISH_SKIPS},
        {.struct_size = sizeof good[0], .low_water = 7, .high_water = 7, .max_buffered = 7},
        {.struct_size = sizeof good[0], .high_water = 1},
        {.struct_size = sizeof good[0], .flags = LIBWS_DEFLATE},
        {.struct_size = sizeof good[0], .flags = LIBWS_DEFLATE | LIBWS_DEFLATE_TAKEOVER | LIBWS_DEFLATE_PEER_TAKEOVER,
         .deflate_level = 1, .deflate_min_bytes = LIBWS_OFF, .deflate_window_bits = 9, .deflate_peer_window_bits = 9},
        {.struct_size = sizeof good[0], .flags = LIBWS_DEFLATE, .deflate_level = 9, .deflate_min_bytes = 1,
         .deflate_window_bits = 15, .deflate_peer_window_bits = 15},
        {.struct_size = sizeof good[0], .high_water = 1 << 30},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        libws_settings settings = bad[i];
        REFUSED(by_listen_settings(&settings), LIBWS_ERR_INVALID);
        REFUSED(by_connect_settings(&settings), LIBWS_ERR_INVALID);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        libws_settings settings = good[i];
        CHECK_EQ(by_listen_settings(&settings), LIBWS_OK);
        CHECK_EQ(by_connect_settings(&settings), LIBWS_OK);
    }
}

static void bad_log_level(void) {
    static const int32_t levels[] = {-1, 5, INT32_MAX, INT32_MIN};
    libws_loop_options options = {.struct_size = sizeof options};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        options.log_level = levels[i];
        REFUSED(by_loop(&options), LIBWS_ERR_INVALID);
    }
    for (options.log_level = 0; options.log_level <= LIBWS_LOG_DEBUG; options.log_level++)
        CHECK_EQ(by_loop(&options), LIBWS_OK);
    options.log_level = 0;
    options.deflate_memory = 1;
    CHECK_EQ(by_loop(&options), LIBWS_OK);
    options.deflate_memory = LIBWS_OFF;
    CHECK_EQ(by_loop(&options), LIBWS_OK);
}

#define COUNT(list) (sizeof list / sizeof *list)
#define EACH(list, call, expected)                                                         \
    for (size_t i = 0; i < COUNT(list); i++) {                                             \
        const char *text = list[i];                                                        \
        int32_t seen = call;                                                               \
        if (seen != (expected)) printf("%s \"%s\":\n", #list, text);                       \
        CHECK_EQ(seen, expected);                                                          \
        CHECK(seen >= 0 || strlen(libws_last_error()) > 0);                                \
    }
#define LISTEN(field) listens(&no_handlers, &(libws_listen_options){.struct_size = sizeof(libws_listen_options), .field = text})
#define CONNECT(field) connects(&no_handlers, &(libws_connect_options){.struct_size = sizeof(libws_connect_options), .field = text})

static void bad_strings(void) {
    static const char *const bad_headers[] = {
        "A: b\r\n\r\nHTTP/1.1 200", "A: b\nC: d\r\n", "A: b\rC: d\r\n", "A\r\n", ": b\r\n", "A : b\r\n", " A: b\r\n", "A: b\r\n folded\r\n",
        "Upgrade: x\r\n", "Connection: close\r\n", "connection: close\r\n", "Content-Length: 1\r\n",
        "Transfer-Encoding: chunked\r\n", "Sec-WebSocket-Accept: x\r\n", "Sec-WebSocket-Protocol: x\r\n",
        "Sec-WebSocket-Extensions: x\r\n", "Sec-WebSocket-Key: x\r\n", "Sec-WebSocket-Version: 13\r\n"};
    static const char *const own_headers[] = {"Host: a.example\r\n", "host: a.example\r\n"}; /* of a request */
    static const char *const good_headers[] = {"A: b\r\n", "A: b\r\nA: c\r\n", "A:\r\n", "Set-Cookie: a=b; Path=/\r\n"};
    static const char *const bad_protocols[] = {"a, a", "a b", "a\r\nX: y", "a,\x01", "a/b", "\"a\"", "a, b, c, a"};
    static const char *const good_protocols[] = {"a", "chat.v2, chat.v1", "a,b", "a, A"};
    static const char *const bad_origins[] = {"https://a.example/path", "a.example", "https://", "https://a.example\r\nX: y",
                                              "https://a.example, *x", "https://a b"};
    static const char *const good_origins[] = {"*", "https://a.example", "https://a.example, http://b.example:8080"};
    static const char *const bad_hosts[] = {"a/b", "http://a.example", "a b", "a\r\nX: y", "a.example:x", "u@a.example"};
    static const char *const good_hosts[] = {"*", "chat.example", "chat.example, 127.0.0.1", "[::1]"};
    static const char *const bad_paths[] = {"", "x", "*"};
    static const char *const bad_origin[] = {"https://a.example\r\nX: y", "a\x01" "b", "a\nb"};
    static const char *const not_utf8[] = {"\xff", "a\xc3"};
    EACH(bad_headers, LISTEN(headers), LIBWS_ERR_INVALID)
    EACH(bad_headers, CONNECT(headers), LIBWS_ERR_INVALID)
    EACH(own_headers, CONNECT(headers), LIBWS_ERR_INVALID)
    EACH(good_headers, LISTEN(headers), LIBWS_OK)
    EACH(good_headers, CONNECT(headers), LIBWS_OK)
    EACH(bad_protocols, LISTEN(protocols), LIBWS_ERR_INVALID)
    EACH(bad_protocols, CONNECT(protocols), LIBWS_ERR_INVALID)
    EACH(good_protocols, LISTEN(protocols), LIBWS_OK)
    EACH(good_protocols, CONNECT(protocols), LIBWS_OK)
    EACH(bad_origins, LISTEN(origins), LIBWS_ERR_INVALID)
    EACH(good_origins, LISTEN(origins), LIBWS_OK)
    EACH(bad_hosts, LISTEN(hosts), LIBWS_ERR_INVALID)
    EACH(good_hosts, LISTEN(hosts), LIBWS_OK)
    EACH(bad_paths, LISTEN(path), LIBWS_ERR_INVALID)
    EACH(bad_origin, CONNECT(origin), LIBWS_ERR_INVALID)
    EACH(not_utf8, LISTEN(headers), LIBWS_ERR_UTF8)
    EACH(not_utf8, LISTEN(protocols), LIBWS_ERR_UTF8)
    EACH(not_utf8, LISTEN(origins), LIBWS_ERR_UTF8)
    EACH(not_utf8, LISTEN(hosts), LIBWS_ERR_UTF8)
    EACH(not_utf8, LISTEN(path), LIBWS_ERR_UTF8)
    EACH(not_utf8, LISTEN(static_root), LIBWS_ERR_UTF8)
    EACH(not_utf8, CONNECT(headers), LIBWS_ERR_UTF8)
    EACH(not_utf8, CONNECT(protocols), LIBWS_ERR_UTF8)
    EACH(not_utf8, CONNECT(origin), LIBWS_ERR_UTF8)
}

/* A request has one Origin at most. */
static void two_origins(void) {
    libws_connect_options options = {.struct_size = sizeof options, .headers = "Origin: https://a.example\r\n"};
    CHECK_EQ(by_connect(&options), LIBWS_OK);
    options.origin = "https://b.example";
    REFUSED(by_connect(&options), LIBWS_ERR_INVALID);
    options.headers = "A: b\r\norigin: https://a.example\r\n";
    REFUSED(by_connect(&options), LIBWS_ERR_INVALID);
}

static void bad_reconnect(void) {
    libws_connect_options options = {.struct_size = sizeof options};
    options.reconnect = 2;
    REFUSED(by_connect(&options), LIBWS_ERR_INVALID);
    options.reconnect = -1;
    REFUSED(by_connect(&options), LIBWS_ERR_INVALID);
    options.reconnect = 0;
    options.offline_drop_oldest = 2;
    REFUSED(by_connect(&options), LIBWS_ERR_INVALID);
    options.offline_drop_oldest = 0;
    options.reconnect = 1;
    options.reconnect_min_ms = 2;
    options.reconnect_max_ms = 1;
    REFUSED(by_connect(&options), LIBWS_ERR_INVALID);
    options.reconnect_min_ms = options.reconnect_max_ms = 0;
    static const char *const bad_codes[] = {"x", "1000;1001", "70000", "-1", "1000,,1001"};
    for (size_t i = 0; i < COUNT(bad_codes); i++) {
        options.reconnect_final_codes = bad_codes[i];
        if (by_connect(&options) != LIBWS_ERR_INVALID) printf("final codes \"%s\":\n", bad_codes[i]);
        REFUSED(by_connect(&options), LIBWS_ERR_INVALID);
    }
    options.reconnect_final_codes = "1000, 4001";
    CHECK_EQ(by_connect(&options), LIBWS_OK);
}

/* ---- Descriptors, and ports that are taken ---- */

static void bad_descriptors(void) {
    libws_listen_options options = {.struct_size = sizeof options};
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC), stream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
        datagram = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int not_listening[] = {file, stream, datagram};
    CHECK(file > 0 && stream > 0 && datagram > 0);
    for (options.reuse_port = 2; options.reuse_port >= -1; options.reuse_port -= 3)
        REFUSED(by_listen(&options), LIBWS_ERR_INVALID);
    options.reuse_port = 0;
    options.fd = -1;
    REFUSED(by_listen(&options), LIBWS_ERR_INVALID);
    options.fd = INT32_MAX;
    REFUSED(by_listen(&options), LIBWS_ERR_IO);
    CHECK_EQ(libws_last_os_error(), EBADF);
    for (size_t i = 0; i < COUNT(not_listening); i++) {
        int32_t result;
        options.fd = not_listening[i];
        result = by_listen(&options);
        if (result != LIBWS_ERR_INVALID && result != LIBWS_ERR_IO) printf("descriptor %d gave %d:\n", (int)i, result);
        CHECK(result == LIBWS_ERR_INVALID || result == LIBWS_ERR_IO);
        CHECK(fcntl(options.fd, F_GETFD) != -1); /* it stays the caller's */
    }
    close(file);
    close(stream);
    close(datagram);
}

static void port_in_use(void) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    char url[64], where[32];
    uint64_t made = 0;
    int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(bind(taken, (struct sockaddr *)&address, sizeof address), 0);
    CHECK_EQ(listen(taken, 1), 0);
    CHECK_EQ(getsockname(taken, (struct sockaddr *)&address, &size), 0);
    snprintf(where, sizeof where, "127.0.0.1:%d", ntohs(address.sin_port));
    snprintf(url, sizeof url, "ws://%s", where);
    CHECK_EQ(libws_listen(loop, url, &no_handlers, NULL, NULL, &made), LIBWS_ERR_IO);
    CHECK_EQ(libws_last_os_error(), EADDRINUSE);
    CHECK(strstr(libws_last_error(), where) != NULL);
    CHECK_EQ(made, 0);
    close(taken);
    CHECK_EQ(libws_listen(loop, url, &no_handlers, NULL, NULL, &made), LIBWS_OK);
    CHECK_EQ(libws_listener_close(made), LIBWS_OK);
}

static void bad_urls(void) {
    static const char *const bad[] = {"ws://127.0.0.1:1/#frag", "ws://127.0.0.1:1/#", "ws://127.0.0.1:99999", "ws://u@127.0.0.1:1/",
                                      "ws:/127.0.0.1:1/", "//127.0.0.1:1", "ws://127.0.0.1:+1/", "ws://[::1]x:1/"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        uint64_t made = 0;
        int32_t listened = libws_listen(loop, bad[i], &no_handlers, NULL, NULL, &made);
        int32_t connected = libws_connect(loop, bad[i], &no_handlers, NULL, NULL, &made);
        if (listened >= 0 || connected >= 0) printf("\"%s\" was taken: %d, %d\n", bad[i], listened, connected);
        CHECK_EQ(listened, LIBWS_ERR_ADDRESS);
        REFUSED(connected, LIBWS_ERR_ADDRESS);
        CHECK_EQ(made, 0);
    }
}

/* ---- Names of results ---- */

#define VALUE(constant, number) {#constant, number},
#define SIZE(type, bytes)
#define FIELD(type, field, offset)
static const struct { const char *name; int64_t number; } constants[] = {
#include "layout.h"
};

static int is_result(const char *name) {
    return strncmp(name, "LIBWS_ERR_", 10) == 0 || strcmp(name, "LIBWS_OK") == 0 || strcmp(name, "LIBWS_PENDING") == 0;
}

static void result_names(void) {
    int known = 0;
    for (int32_t number = -200; number <= 200; number++) {
        const char *expected = "LIBWS_ERR_UNKNOWN";
        for (size_t i = 0; i < COUNT(constants); i++)
            if (is_result(constants[i].name) && constants[i].number == number) expected = constants[i].name, known++;
        CHECK(strcmp(libws_result_name(number), expected) == 0);
    }
    CHECK_EQ(known, 17);
    CHECK(strcmp(libws_result_name(INT32_MIN), "LIBWS_ERR_UNKNOWN") == 0);
    CHECK(strcmp(libws_result_name(INT32_MAX), "LIBWS_ERR_UNKNOWN") == 0);
}

int main(void) {
    int fds;
    check_begin(120);
    loop = new_loop();
    turn_idle(loop);
    fds = count_fds();
    every_size();
    bad_settings();
    bad_log_level();
    bad_strings();
    two_origins();
    bad_reconnect();
    bad_descriptors();
    port_in_use();
    bad_urls();
    result_names();
    turn_idle(loop);
    CHECK_EQ(count_fds(), fds); /* what was refused left nothing behind */
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
    return check_end();
}
