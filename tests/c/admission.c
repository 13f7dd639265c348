/* Who may open a WebSocket: the path, the Origin of a page, the Host it was found under; and the subprotocol both speak. */
#include "support.h"

static libws_loop loop;
static atomic_int opened;
static char head[4096], body[4096], agreed[64];

static void on_open(libws_conn conn, void *user) {
    libws_conn_info info = {.struct_size = sizeof info};
    (void)user;
    CHECK_EQ(libws_info(conn, &info), LIBWS_OK);
    snprintf(agreed, sizeof agreed, "%s", info.protocol);
    opened++;
}
static const libws_handlers handlers = {.struct_size = sizeof handlers, .on_open = on_open};

/* The status that this target and these header lines get from the port; 101 is an open connection. */
static int ask(int port, const char *target, const char *headers) {
    char request[1024];
    int fd = peer_connect(port), before = opened, status;
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\n%sUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", target, headers);
    CHECK_EQ(peer_ask_for(fd, request), 0);
    status = peer_reply(fd, head, sizeof head, body, sizeof body);
    if (status == 101) CHECK(wait_until(&opened, before + 1));
    CHECK_EQ(opened, before + (status == 101));
    close(fd);
    return status;
}

/* The same with the usual Host. */
static int ask_with(int port, const char *headers) {
    char lines[512];
    snprintf(lines, sizeof lines, "Host: 127.0.0.1:%d\r\n%s", port, headers);
    return ask(port, "/", lines);
}

static int listening(libws_listen_options options) {
    options.struct_size = sizeof options;
    return listen_on(loop, &handlers, NULL, &options, NULL);
}

static void paths(void) {
    int port = listening((libws_listen_options){.path = "/live"});
    CHECK_EQ(ask(port, "/live", "Host: 127.0.0.1\r\n"), 101);
    CHECK_EQ(ask(port, "/live?room=1", "Host: 127.0.0.1\r\n"), 101);
    CHECK_EQ(ask(port, "/", "Host: 127.0.0.1\r\n"), 404);
    CHECK_EQ(ask(port, "/live/", "Host: 127.0.0.1\r\n"), 404);
    CHECK_EQ(ask(port, "/LIVE", "Host: 127.0.0.1\r\n"), 404);
}

static void origins(void) {
    int port = listening((libws_listen_options){0});
    char same[128];
    snprintf(same, sizeof same, "Origin: http://127.0.0.1:%d\r\n", port);
    CHECK_EQ(ask_with(port, ""), 101); /* no browser */
    CHECK_EQ(ask_with(port, same), 101);
    CHECK_EQ(ask_with(port, "Origin: http://evil.example\r\n"), 403);
    CHECK_EQ(ask_with(port, "Origin: http://127.0.0.1:1\r\n"), 403); /* another port is another origin */
    CHECK_EQ(ask_with(port, "Origin: null\r\n"), 403);               /* a sandboxed page, a file */
    CHECK_EQ(ask_with(port, "Origin: \r\n"), 403);
    port = listening((libws_listen_options){.origins = "https://a.example, https://b.example:8443"});
    CHECK_EQ(ask_with(port, "Origin: https://a.example\r\n"), 101);
    CHECK_EQ(ask_with(port, "Origin: https://b.example:8443\r\n"), 101);
    CHECK_EQ(ask_with(port, "Origin: http://a.example\r\n"), 403);
    CHECK_EQ(ask_with(port, "Origin: https://a.example.evil.example\r\n"), 403);
    CHECK_EQ(ask_with(port, "Origin: https://b.example\r\n"), 403);
    CHECK_EQ(ask_with(port, same), 403); /* the list is the whole list */
    port = listening((libws_listen_options){.origins = "*"});
    CHECK_EQ(ask_with(port, "Origin: http://evil.example\r\n"), 101);
}

/* A page of evil.example whose name was pointed at 127.0.0.1 has an Origin that fits its Host. */
static void hosts(void) {
    static const char rebound[] = "Host: evil.example\r\nOrigin: http://evil.example\r\n";
    int port = listening((libws_listen_options){0});
    CHECK_EQ(ask(port, "/", rebound), 403);
    CHECK_EQ(ask(port, "/", "Host: localhost.evil.example\r\n"), 403);
    CHECK_EQ(ask(port, "/", "Host: localhost\r\n"), 101);
    CHECK_EQ(ask(port, "/", "Host: [::1]:80\r\n"), 101);
    port = listening((libws_listen_options){.hosts = "chat.example"});
    CHECK_EQ(ask(port, "/", "Host: chat.example\r\n"), 101);
    CHECK_EQ(ask(port, "/", "Host: CHAT.example:443\r\n"), 101);
    CHECK_EQ(ask(port, "/", "Host: xchat.example\r\n"), 403);
    CHECK_EQ(ask(port, "/", rebound), 403);
    port = listening((libws_listen_options){.hosts = "*"});
    CHECK_EQ(ask(port, "/", rebound), 101);
}

/* Which subprotocol such an offer gets, "-" for a 101 without one. */
static const char *offered(int port, const char *offer) {
    static char chosen[64];
    const char *at;
    CHECK_EQ(ask_with(port, offer), 101);
    at = strcasestr(head, "\r\nSec-WebSocket-Protocol: ");
    snprintf(chosen, sizeof chosen, "%.*s", at ? (int)strcspn(at + 26, "\r") : 1, at ? at + 26 : "-");
    CHECK(strcmp(agreed, at ? chosen : "") == 0); /* libws_info() says what the head says */
    return chosen;
}

static void subprotocols(void) {
    int port = listening((libws_listen_options){.protocols = "chat.v2, chat.v1"});
    CHECK(strcmp(offered(port, "Sec-WebSocket-Protocol: chat.v1\r\n"), "chat.v1") == 0);
    CHECK(strcmp(offered(port, "Sec-WebSocket-Protocol: chat.v1, chat.v2\r\n"), "chat.v2") == 0); /* our order */
    CHECK(strcmp(offered(port, "Sec-WebSocket-Protocol: chat.v1\r\nSec-WebSocket-Protocol: chat.v2\r\n"), "chat.v2") == 0);
    CHECK(strcmp(offered(port, "Sec-WebSocket-Protocol: CHAT.V1\r\n"), "-") == 0); /* names have a case */
    CHECK(strcmp(offered(port, "Sec-WebSocket-Protocol: soap\r\n"), "-") == 0);
    CHECK(strcmp(offered(port, ""), "-") == 0);
    port = listening((libws_listen_options){0});
    CHECK(strcmp(offered(port, "Sec-WebSocket-Protocol: chat.v1\r\n"), "-") == 0);
}

int main(void) {
    check_begin(60);
    loop = new_loop();
    CHECK_EQ(libws_loop_start(loop), LIBWS_OK);
    paths();
    origins();
    hosts();
    subprotocols();
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
    return check_end();
}
