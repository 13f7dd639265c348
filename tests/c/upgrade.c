/* Upgrades that the application decides: at once, later, from another thread; accepted or refused with an answer. */
#include "support.h"

#include <pthread.h>

static libws_loop loop;
static int port, decision;
static libws_request request;
static atomic_int asked, opened, closed;
static int mark; /* its address is the user of accepted connections */
static char head[4096], body[4096];
static void (*inside)(libws_request id);

static int32_t on_upgrade(libws_request id, void *user) {
    (void)user;
    CHECK(libws_request_target(id) && strcmp(libws_request_target(id), "/") == 0);
    CHECK(libws_request_header(id, "Sec-WebSocket-Key") != NULL);
    request = id;
    if (inside) inside(id);
    asked++;
    return decision;
}
static void on_open(libws_conn conn, void *user) {
    CHECK(user == (void *)&mark || user == NULL);
    CHECK(libws_user(conn) == user);
    opened++;
    CHECK_EQ(libws_send_text(conn, "welcome"), LIBWS_OK);
}
static void on_close(libws_conn conn, const libws_close_info *info, void *user) {
    (void)conn, (void)info, (void)user;
    closed++;
}
static const libws_handlers handlers = {
    .struct_size = sizeof handlers, .on_upgrade = on_upgrade, .on_open = on_open, .on_close = on_close};

static int ask(void (*do_inside)(libws_request), int32_t answer) {
    int fd = peer_connect(port), before = asked;
    decision = answer;
    inside = do_inside;
    CHECK_EQ(peer_ask(fd), 0);
    CHECK(wait_until(&asked, before + 1));
    return fd;
}

/* The peer sees a 101 and then the first message. */
static void accepted(int fd) {
    char text[16];
    int first;
    CHECK(peer_read_head(fd, head, sizeof head) > 0 && strncmp(head, "HTTP/1.1 101 ", 13) == 0);
    CHECK(peer_read(fd, &first, text, sizeof text) == 7 && first == 0x81 && memcmp(text, "welcome", 7) == 0);
    CHECK_EQ(libws_accept(request, NULL, NULL), LIBWS_ERR_GONE);
    CHECK_EQ(libws_respond(request, 403, NULL, NULL, 0), LIBWS_ERR_GONE);
    close(fd);
    CHECK(wait_until(&closed, opened));
}

/* The peer sees this status and the end; nobody hears of a connection. */
static void refused(int fd, int status) {
    int before = opened + closed;
    CHECK_EQ(peer_reply(fd, head, sizeof head, body, sizeof body), status);
    CHECK(peer_ended(fd, WAIT_MS));
    CHECK_EQ(libws_accept(request, NULL, NULL), LIBWS_ERR_GONE);
    CHECK_EQ(opened + closed, before);
    close(fd);
}

/* ---- Inside the callback ---- */

static void accept_inside(libws_request id) {
    CHECK_EQ(libws_request_set_user(id, &mark), LIBWS_OK);
    CHECK_EQ(libws_accept(id, "never offered", NULL), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_accept(id, NULL, "Bad\r\n"), LIBWS_ERR_INVALID);
    CHECK_EQ(libws_respond(id, 200, NULL, NULL, 0), LIBWS_ERR_INVALID); /* no refusal */
    CHECK_EQ(libws_accept(id, NULL, "X-Extra: yes\r\n"), LIBWS_OK);
    CHECK_EQ(libws_accept(id, NULL, NULL), LIBWS_ERR_GONE);
}
static void refuse_inside(libws_request id) {
    CHECK_EQ(libws_respond(id, 401, "WWW-Authenticate: Bearer\r\n", "who are you?", 12), LIBWS_OK);
}

static void at_once(void) {
    accepted(ask(NULL, LIBWS_ACCEPT));
    accepted(ask(accept_inside, 0)); /* what it returns does not count */
    CHECK(strcasestr(head, "x-extra: yes\r\n") != NULL);
    refused(ask(NULL, 403), 403);
    refused(ask(NULL, 599), 599);
    refused(ask(NULL, 0), 500); /* rubbish never lets anybody in */
    refused(ask(NULL, 200), 500);
    refused(ask(NULL, -7), 500);
    refused(ask(NULL, INT32_MAX), 500);
    refused(ask(refuse_inside, LIBWS_ACCEPT), 401);
    CHECK(strcasestr(head, "www-authenticate: bearer\r\n") && strcmp(body, "who are you?") == 0);
}

/* ---- Later ---- */

static void *accept_elsewhere(void *arg) {
    (void)arg;
    CHECK_EQ(libws_request_set_user(request, &mark), LIBWS_OK);
    CHECK_EQ(libws_accept(request, "", "X-From: thread\r\n"), LIBWS_OK);
    return NULL;
}
static void *refuse_elsewhere(void *arg) {
    (void)arg;
    CHECK_EQ(libws_respond(request, 503, NULL, "busy", 4), LIBWS_OK);
    return NULL;
}
static void accept_posted(libws_loop id, void *arg) {
    (void)id, (void)arg;
    CHECK_EQ(libws_accept(request, NULL, NULL), LIBWS_OK);
}

static void on_thread(void *(*body_of)(void *)) {
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, body_of, NULL), 0);
    pthread_join(thread, NULL);
}

static void deferred(void) {
    int fd = ask(NULL, LIBWS_DEFER);
    CHECK(!peer_ended(fd, 20));
    on_thread(accept_elsewhere);
    accepted(fd);
    CHECK(strcasestr(head, "x-from: thread\r\n") != NULL);
    fd = ask(NULL, LIBWS_DEFER);
    on_thread(refuse_elsewhere);
    refused(fd, 503);
    CHECK(strcmp(body, "busy") == 0);
    fd = ask(NULL, LIBWS_DEFER);
    CHECK_EQ(libws_loop_post(loop, accept_posted, NULL), LIBWS_OK);
    accepted(fd);
    refused(ask(NULL, LIBWS_DEFER), 503); /* nobody answers before the deadline of the handshake */
}

/* Messages that come right behind the handshake of a deferred upgrade wait for it. */
static void early_messages(void) {
    int fd = ask(NULL, LIBWS_DEFER);
    CHECK_EQ(peer_send(fd, 0x88, "\3\350", 2), 0);
    CHECK_EQ(libws_loop_post(loop, accept_posted, NULL), LIBWS_OK);
    accepted(fd);
}

int main(void) {
    const libws_settings hasty = {.struct_size = sizeof hasty, .handshake_timeout_ms = 500};
    const libws_listen_options options = {.struct_size = sizeof options, .settings = &hasty};
    check_begin(60);
    loop = new_loop();
    port = listen_on(loop, &handlers, NULL, &options, NULL);
    CHECK_EQ(libws_loop_start(loop), LIBWS_OK);
    at_once();
    deferred();
    early_messages();
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
    CHECK_EQ(opened, closed);
    return check_end();
}
