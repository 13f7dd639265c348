/* libwebsockets as a peer: `lws_server server` echoes and prints `closed CODE REASON` for each connection. See README.md. */
#include <libwebsockets.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The message that is arriving, then leaving; its bytes begin behind LWS_PRE. */
struct session {
    unsigned char *bytes;
    size_t len, room;
    int binary, whole;
};

static volatile sig_atomic_t stopped;

static int collect(struct lws *wsi, struct session *session, const void *piece, size_t len) {
    if (session->len == 0) session->binary = lws_frame_is_binary(wsi);
    if (session->len + len > session->room || !session->bytes) {
        size_t room = 2 * (session->len + len) + 64;
        unsigned char *bytes = realloc(session->bytes, LWS_PRE + room);
        if (!bytes) return -1;
        session->bytes = bytes;
        session->room = room;
    }
    if (len > 0) memcpy(session->bytes + LWS_PRE + session->len, piece, len);
    session->len += len;
    session->whole = lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0;
    if (session->whole) lws_callback_on_writable(wsi);
    return 0;
}

static int echo(struct lws *wsi, struct session *session) {
    int sent;
    if (!session->whole) return 0;
    sent = lws_write(wsi, session->bytes + LWS_PRE, session->len, session->binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT);
    session->whole = 0;
    session->len = 0;
    return sent < 0 ? -1 : 0;
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
    struct session *session = user;
    const unsigned char *payload = in;
    switch ((int)reason) {
    case LWS_CALLBACK_RECEIVE:
        return collect(wsi, session, in, len);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return echo(wsi, session);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        printf("closed %d %.*s\n", len < 2 ? 1005 : payload[0] << 8 | payload[1], len < 2 ? 0 : (int)len - 2,
               (const char *)payload + (len < 2 ? 0 : 2));
        return 0;
    case LWS_CALLBACK_CLOSED:
        free(session->bytes);
        session->bytes = NULL;
        return 0;
    }
    return 0;
}

static void stop(int number) {
    (void)number;
    stopped = 1;
}

int main(void) {
    static const struct lws_protocols protocols[] = {
        {"http", callback, sizeof(struct session), 65536, 0, NULL, 0},
        {NULL, NULL, 0, 0, 0, NULL, 0},
    };
    static const struct lws_extension deflate[] = {
        {"permessage-deflate", lws_extension_callback_pm_deflate, "permessage-deflate"},
        {NULL, NULL, NULL},
    };
    const char *compression = getenv("COMPRESSION");
    struct lws_context_creation_info info;
    struct lws_context *context;
    struct lws_vhost *host;
    memset(&info, 0, sizeof info);
    info.port = CONTEXT_PORT_NO_LISTEN;
    info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
    setvbuf(stdout, NULL, _IOLBF, 0);
    lws_set_log_level(LLL_ERR, NULL);
    signal(SIGINT, stop);
    if (!(context = lws_create_context(&info))) return 1;
    info.port = 0;
    info.iface = "127.0.0.1";
    info.protocols = protocols;
    if (compression && strcmp(compression, "none") != 0) info.extensions = deflate;
    if (!(host = lws_create_vhost(context, &info))) return 1;
    printf("listening on ws://127.0.0.1:%d\n", lws_get_vhost_listen_port(host));
    while (!stopped && lws_service(context, 0) >= 0) {}
    lws_context_destroy(context);
    return 0;
}
