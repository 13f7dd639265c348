/* victim [NAME=VALUE...]: the program under attack, server and client, that tells what an attack did to it.
 *
 * The loop runs on the first thread, so that /proc tells its CPU time alone; a second thread reads commands from
 * stdin and answers each with one line. Every connection's end is a line "closed ...".
 *
 *   heap           bytes that are allocated
 *   peak           the most since the last "peak"
 *   fail N COUNT   of the requests for more than 4 KiB, fails COUNT from the N-th on
 *   failed         how many have failed
 *   counts         opened, closed, messages, payload bytes, pongs, drains
 *   connect URL    opens a client connection
 *   close CODE     closes the newest connection
 *   pause N        pauses (1) or resumes (0) the newest connection
 *   buffered       bytes queued on the newest connection
 *   push N         sends N bytes on the newest connection
 *   stop           ends the loop
 *
 * The message "sleep" keeps its callback for a second. uncompressed=1 keeps what it sends back from being compressed;
 * deflate_memory is the loop's.
 * Settings are those of libws_settings by name; mode=sink keeps what it gets, mode=echo (default) sends it back. */
#include "heap.h"

#include <inttypes.h>
#include <libws.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static libws_loop loop;
static atomic_ullong opened, closed, messages, payload_bytes, pongs, drains, newest;
static int sink, quiet, resist, uncompressed;
static libws_settings settings = {.struct_size = sizeof settings};
static libws_connect_options connecting = {.struct_size = sizeof connecting, .settings = &settings};
static libws_handlers handlers;

static void on_open(libws_conn conn, void *user) {
    (void)user;
    newest = conn;
    opened++;
    if (!quiet) printf("opened\n");
}

static void on_message(libws_conn conn, const libws_message *message, void *user) {
    (void)user;
    messages++;
    payload_bytes += message->len;
    if (message->len == 5 && !memcmp(message->data, "sleep", 5)) sleep(1);
    if (!sink) libws_send(conn, message->kind | uncompressed, message->data, message->len);
}

static void on_pong(libws_conn conn, const void *data, size_t len, void *user) {
    (void)conn, (void)data, (void)len, (void)user;
    pongs++;
}

static void on_drain(libws_conn conn, void *user) {
    (void)conn, (void)user;
    drains++;
}

static void on_close(libws_conn conn, const libws_close_info *info, void *user) {
    (void)conn, (void)user;
    closed++;
    if (!quiet)
        printf("closed code=%d sent=%d error=%s open=%d clean=%d unsent=%" PRIu64 " detail=%s\n", info->code,
               info->sent_code, libws_result_name(info->error), info->was_open, info->was_clean, info->unsent,
               info->detail);
}

static void on_request(libws_request request, void *user) {
    char text[128];
    size_t len = 0;
    (void)user;
    libws_request_body(request, &len);
    snprintf(text, sizeof text, "%s %zu %.80s", libws_request_method(request), len, libws_request_target(request));
    libws_respond(request, 200, "Content-Type: text/plain\r\n", text, strlen(text));
}

/* Constant-time, as an application should compare secrets. */
static int32_t on_upgrade(libws_request request, void *user) {
    static const char secret[] = "Bearer 0123456789abcdef";
    const char *given = libws_request_header(request, "Authorization");
    unsigned difference = 0;
    (void)user;
    if (!resist) return LIBWS_ACCEPT;
    if (given == NULL || strlen(given) != sizeof secret - 1) return 401;
    for (size_t i = 0; i < sizeof secret - 1; i++) difference |= (unsigned char)given[i] ^ (unsigned char)secret[i];
    return difference == 0 ? LIBWS_ACCEPT : 401;
}

static void push(size_t len) {
    void *block = calloc(1, len);
    int32_t result = block ? libws_send(newest, LIBWS_BINARY, block, len) : LIBWS_ERR_NOMEM;
    free(block);
    printf("push %s\n", libws_result_name(result));
}

static void obey(char *line) {
    char *argument = strchr(line, ' ');
    line[strcspn(line, "\n")] = 0;
    if (argument) *argument++ = 0;
    if (!strcmp(line, "heap")) printf("heap %ld\n", heap_used());
    else if (!strcmp(line, "peak")) printf("peak %ld\n", heap_take_peak());
    else if (!strcmp(line, "fail")) {
        int first = atoi(argument);
        heap_fail(first, atoi(strchr(argument, ' ')));
        printf("fail %d\n", first);
    } else if (!strcmp(line, "failed")) printf("failed %d\n", heap_failed());
    else if (!strcmp(line, "counts"))
        printf("counts %llu %llu %llu %llu %llu %llu\n", opened, closed, messages, payload_bytes, pongs, drains);
    else if (!strcmp(line, "connect")) {
        libws_conn conn = 0;
        int32_t result = libws_connect(loop, argument, &handlers, NULL, &connecting, &conn);
        printf("connect %s\n", libws_result_name(result));
    } else if (!strcmp(line, "close")) printf("close %s\n", libws_result_name(libws_close(newest, atoi(argument), NULL)));
    else if (!strcmp(line, "pause")) printf("pause %s\n", libws_result_name(libws_pause(newest, atoi(argument))));
    else if (!strcmp(line, "buffered")) printf("buffered %" PRId64 "\n", libws_buffered_amount(newest));
    else if (!strcmp(line, "push")) push(strtoul(argument, NULL, 10));
    else if (!strcmp(line, "stop")) libws_loop_stop(loop);
    else printf("unknown %s\n", line);
}

static void *listen_to_stdin(void *nothing) {
    char line[4096];
    while (fgets(line, sizeof line, stdin)) obey(line);
    libws_loop_stop(loop); /* whoever attacks is gone */
    return nothing;
}

static void log_line(int32_t level, const char *line, void *user);
static libws_loop_options looping = {.struct_size = sizeof looping, .log = log_line, .log_level = LIBWS_LOG_INFO};

static const struct {
    const char *name;
    uint32_t *field;
} numbers[] = {
    {"max_message", &settings.max_message},
    {"max_parts", &settings.max_parts},
    {"heartbeat_ms", &settings.heartbeat_ms},
    {"heartbeat_timeout_ms", &settings.heartbeat_timeout_ms},
    {"handshake_timeout_ms", &settings.handshake_timeout_ms},
    {"close_timeout_ms", &settings.close_timeout_ms},
    {"message_timeout_ms", &settings.message_timeout_ms},
    {"send_timeout_ms", &settings.send_timeout_ms},
    {"flags", &settings.flags},
    {"deflate_level", &settings.deflate_level},
    {"deflate_min_bytes", &settings.deflate_min_bytes},
    {"deflate_window_bits", &settings.deflate_window_bits},
    {"deflate_peer_window_bits", &settings.deflate_peer_window_bits},
    {"deflate_memory", &looping.deflate_memory},
};

static void take_option(char *option, const char **url, libws_listen_options *listening) {
    char *value = strchr(option, '=');
    if (!value) exit(2);
    *value++ = 0;
    if (!strcmp(option, "listen")) *url = value;
    else if (!strcmp(option, "mode")) sink = !strcmp(value, "sink");
    else if (!strcmp(option, "quiet")) quiet = atoi(value);
    else if (!strcmp(option, "secret")) resist = atoi(value);
    else if (!strcmp(option, "uncompressed")) uncompressed = atoi(value) ? LIBWS_UNCOMPRESSED : 0;
    else if (!strcmp(option, "http")) handlers.on_request = on_request;
    else if (!strcmp(option, "static_root")) listening->static_root = value;
    else if (!strcmp(option, "protocols")) listening->protocols = connecting.protocols = value;
    else if (!strcmp(option, "max_body")) listening->max_body = (uint32_t)strtoul(value, NULL, 10);
    else if (!strcmp(option, "keep_alive_ms")) listening->keep_alive_ms = (uint32_t)strtoul(value, NULL, 10);
    else {
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
            if (!strcmp(option, numbers[i].name)) *numbers[i].field = (uint32_t)strtoul(value, NULL, 10);
    }
}

static void stop(int number) {
    (void)number;
    libws_loop_stop(loop);
}

static void log_line(int32_t level, const char *line, void *user) {
    (void)level, (void)user;
    if (!quiet) printf("log %s\n", line);
}

int main(int argc, char **argv) {
    libws_listen_options listening = {.struct_size = sizeof listening, .settings = &settings};
    const char *url = "ws://127.0.0.1:0";
    char real_url[256];
    libws_listener listener;
    pthread_t thread;
    setvbuf(stdout, NULL, _IOLBF, 0);
    handlers = (libws_handlers){.struct_size = sizeof handlers, .on_open = on_open, .on_message = on_message,
                                .on_pong = on_pong, .on_drain = on_drain, .on_close = on_close,
                                .on_upgrade = on_upgrade};
    for (int i = 1; i < argc; i++) take_option(argv[i], &url, &listening);
    if (libws_loop_new(&looping, &loop) != LIBWS_OK ||
        libws_listen(loop, url, &handlers, NULL, &listening, &listener) != LIBWS_OK ||
        libws_listener_url(listener, real_url, sizeof real_url) < 0) {
        fprintf(stderr, "%s\n", libws_last_error());
        return 1;
    }
    signal(SIGINT, stop);
    printf("listening on %s\n", real_url);
    if (pthread_create(&thread, NULL, listen_to_stdin, NULL) != 0) return 1;
    if (libws_loop_run(loop) != LIBWS_OK) return 1;
    return libws_loop_free(loop) == LIBWS_OK ? 0 : 1;
}
